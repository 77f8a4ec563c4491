"""Statistics of a projection table by class, as small objects that a result file can hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from torch import Tensor

from paperlib.analysis import ProjectionTable


@dataclass(frozen=True)
class RankAccuracy:
    """Accuracy in [0, 1] of the rank-k CNN: ``by_class[c][k - 1]``, and of the network itself: ``full_by_class[c]``.

    ``overall[k - 1]`` and ``full`` are those over all images.
    """

    by_class: list[list[float]]
    full_by_class: list[float]
    overall: list[float]
    full: float


@dataclass(frozen=True)
class Box:
    """A box of a box plot: quartiles, with whiskers at the 5th and 95th percentile, of ``count`` values."""

    low: float
    lower_quartile: float
    median: float
    upper_quartile: float
    high: float
    count: int


def rank_accuracy(table: ProjectionTable) -> RankAccuracy:
    """Accuracies by class and rank (`generalizability`, Figure 1)."""
    correct, full = table.rank_k_correct.double(), table.full_correct.double()
    members = [table.labels == label for label in range(int(table.labels.max()) + 1)]
    return RankAccuracy(
        by_class=[correct[rows].mean(0).tolist() for rows in members],
        full_by_class=[full[rows].mean().item() for rows in members],
        overall=correct.mean(0).tolist(),
        full=full.mean().item(),
    )


def mean_confidence(table: ProjectionTable, rank: int | None = None) -> float:
    """Mean softmax score of the predicted class over the images that are classified correctly.

    Of the rank-k CNN, or of the network itself where ``rank`` is None.
    """
    if rank is None:
        return table.full_confidence[table.full_correct].mean().item()
    return table.rank_k_confidence[:, rank - 1][table.rank_k_correct[:, rank - 1]].mean().item()


def same_failures(table: ProjectionTable, tie: float = 1e-5) -> bool:
    """Whether the network of the largest rank fails on the very images on which the network fails.

    Images whose two largest logits differ by less than ``tie`` of the logits' norm may go either way by rounding.
    """
    decided = table.margins > tie
    return bool((table.rank_k_correct[:, -1] == table.full_correct)[decided].all())


def boxes_by_class(values: Tensor, labels: Tensor) -> list[Box]:
    """One box for each class of the values ``(count,)``."""
    boxes = []
    for label in range(int(labels.max()) + 1):
        chosen = values[labels == label].double()
        quantiles = torch.quantile(chosen, torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)).tolist()
        boxes.append(Box(*quantiles, count=len(chosen)))
    return boxes


def boxes_by_rank(table: ProjectionTable, ratio: str, ranks: Sequence[int]) -> dict[int, list[Box]]:
    """For each rank the boxes by class of a ratio of the table: ``"rpr"``, ``"lpr"`` or ``"lpr_centred"``."""
    values = getattr(table, ratio)
    return {rank: boxes_by_class(values[:, rank - 1], table.labels) for rank in ranks}


def medians_by_class(values: Tensor, labels: Tensor) -> Tensor:
    """Medians ``(classes, k)`` of values ``(count, k)``; of an even count the mean of the two middle ones."""
    classes = range(int(labels.max()) + 1)
    return torch.stack([values[labels == label].quantile(0.5, dim=0) for label in classes])


def bootstrap_medians(
    values: Tensor, labels: Tensor, *, draws: int = 400, level: float = 0.95, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Percentile intervals ``(classes, k)`` low and high of the medians by class, from ``draws`` resamplings of images.

    They tell how far the medians hang on which images were drawn, not how far on the training's seed.
    """
    generator = np.random.default_rng(seed)
    low, high = [], []
    for label in range(int(labels.max()) + 1):
        chosen = values[labels == label].numpy()
        picks = generator.integers(len(chosen), size=(draws, len(chosen)))
        medians = np.median(chosen[picks], axis=1)
        low.append(np.quantile(medians, (1 - level) / 2, axis=0))
        high.append(np.quantile(medians, (1 + level) / 2, axis=0))
    return torch.from_numpy(np.stack(low)), torch.from_numpy(np.stack(high))


def ranks_needed(values: Tensor, labels: Tensor, level: float) -> list[int]:
    """For each class the smallest k whose median of the ratios ``(count, k_max)`` exceeds ``level``, else k_max + 1."""
    above = medians_by_class(values, labels) > level
    never = torch.full((len(above), 1), True)
    return (torch.cat([above, never], dim=1).int().argmax(1) + 1).tolist()


def separation(values: Tensor, positive: Tensor) -> float:
    """Area under the ROC curve for telling ``positive`` images by a *low* value: 0.5 is chance, 1 perfect."""
    return float(roc_auc_score(positive.numpy(), -values.numpy()))


@dataclass(frozen=True)
class Separation:
    """How well a value tells positive images from others by being high.

    ``area`` under the ROC curve (0.5 is chance, 1 perfect) with the interval ``low`` to ``high`` of its level, and
    ``p_value`` of the two-sided hypothesis that it is 0.5.
    """

    area: float
    low: float
    high: float
    p_value: float


def separation_with_interval(values: Tensor, positive: Tensor, level: float = 0.95) -> Separation:
    """Area under the ROC curve for telling ``positive`` (bool ``(count,)``) images by a *high* value ``(count,)``.

    Interval and p-value are normal approximations with the standard error of DeLong, DeLong and Clarke-Pearson
    (1988): the spread over images, with ties counted half.

    Raises ``ValueError`` unless there are at least two positive and two other images.
    """
    high, low = values[positive].double().numpy(), values[~positive].double().numpy()
    if min(len(high), len(low)) < 2:
        raise ValueError(f"{len(high)} positive and {len(low)} other images; at least two of each are needed")
    above = _share_below(low, high)
    below = 1 - _share_below(high, low)
    area = float(above.mean())
    error = float(np.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below)))
    if error == 0:
        return Separation(area, area, area, 1.0 if area == 0.5 else 0.0)
    reach = norm.ppf((1 + level) / 2) * error
    p_value = 2 * norm.sf(abs(area - 0.5) / error)
    return Separation(area, max(0.0, area - reach), min(1.0, area + reach), float(p_value))


def _share_below(reference: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each value the share of the reference below it, ties counted half."""
    ordered = np.sort(reference)
    left, right = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return (left + right) / (2 * len(ordered))


def position_from_below(medians: Sequence[float] | Tensor, label: int) -> int:
    """Place of a class when medians are sorted upwards: 1 is the lowest."""
    medians = np.asarray(medians)
    return int((medians < medians[label]).sum()) + 1


def ratio_statistics(
    table: ProjectionTable, ranks: Sequence[int], positive: Sequence[int], level: float, draws: int
) -> dict[str, object]:
    """What `generalizability` says of its Figures 2 and 3, as numbers.

    Medians by rank and class with bootstrap intervals (``draws`` resamplings); the place of each class from below;
    ``auroc``: how well a low ratio tells the classes in ``positive``, and ``auroc_failure`` how well it tells the
    images that the network gets wrong; ``vectors_needed`` for the median to exceed ``level``; the largest deviation of
    LPR from 1 at full rank, and the range of both ratios, and whether they never decrease with k.
    """
    chosen = torch.isin(table.labels, torch.tensor(list(positive)))
    columns = [rank - 1 for rank in ranks]
    statistics: dict[str, object] = {"auroc": {}, "auroc_failure": {}, "vectors_needed": {}, "positions": {}}
    for name in ("rpr", "lpr", "lpr_centred"):
        ratios = getattr(table, name)
        medians = medians_by_class(ratios, table.labels)[:, columns].T
        low, high = bootstrap_medians(ratios[:, columns], table.labels, draws=draws)
        statistics[f"{name}_median"] = _by_rank(ranks, medians)
        statistics[f"{name}_median_low"] = _by_rank(ranks, low.T)
        statistics[f"{name}_median_high"] = _by_rank(ranks, high.T)
        statistics["positions"][name] = [[position_from_below(row, c) for c in range(len(row))] for row in medians]
        statistics["auroc"][name] = {rank: separation(ratios[:, rank - 1], chosen) for rank in ranks}
        failed = ~table.full_correct
        statistics["auroc_failure"][name] = {rank: separation(ratios[:, rank - 1], failed) for rank in ranks}
        statistics["vectors_needed"][name] = ranks_needed(ratios, table.labels, level)
    complete = table.lpr.shape[1] == table.shape[0]
    statistics["deviation_lpr_rank10"] = (1 - table.lpr[:, -1]).abs().max().item() if complete else None
    both = torch.cat([table.rpr, table.lpr], dim=1)
    statistics["range"] = [both.min().item(), both.max().item()]
    statistics["monotone"] = bool((table.rpr.diff(dim=1) >= 0).all() and (table.lpr.diff(dim=1) >= 0).all())
    return statistics


def _by_rank(ranks: Sequence[int], rows: Tensor) -> dict[int, list[float]]:
    return {rank: row.tolist() for rank, row in zip(ranks, rows, strict=True)}
