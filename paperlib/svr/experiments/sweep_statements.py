"""What `svr` says of its Figure 4, as numbers with intervals that can be judged (Section 3.2)."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from paperlib.intervals import bootstrap, difference_of_means, mean_interval
from paperlib.svr.experiments.internal_sweep import PAIR_TITLES, PAIRS, TITLES, SweepPoint
from paperlib.svr.samples import DimensionSample

_NUMBERS = ("d_out", "d_in", "excess")
Chance = Mapping[int, Mapping[str, DimensionSample]]


def sample_values(sample: DimensionSample) -> dict[str, dict]:
    """For ``d_out``, ``d_in`` and ``excess`` the mean with its 95 % interval, and the values in order of the runs."""
    return {
        name: mean_interval(getattr(sample, name)).as_dict() | {"values": getattr(sample, name).tolist()}
        for name in _NUMBERS
    }


def point_values(point: SweepPoint) -> dict[str, dict]:
    """The same of both adjacencies of a point of the sweep, of its test accuracy, and the largest ``common`` change."""
    accuracy = mean_interval(point.accuracy).as_dict() | {"values": point.accuracy.tolist()}
    return {"accuracy": accuracy, "common": point.common.max().item()} | {
        pair: sample_values(point.dimensions[pair]) for pair in PAIRS
    }


def chance_values(sample: DimensionSample) -> dict[str, dict[str, float]]:
    """Mean over the draws, and the band ``low`` to ``high`` that holds 95 % of single matrices."""
    found = {}
    for name in _NUMBERS:
        values = getattr(sample, name)
        low, high = values.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        found[name] = {"mean": values.mean().item(), "low": low, "high": high}
    return found


def by_width(found: Mapping[int, Mapping[str, DimensionSample]], summary: Callable[[DimensionSample], dict]) -> dict:
    """The ``summary`` of the samples of both adjacencies at each width."""
    return {width: {pair: summary(sample) for pair, sample in samples.items()} for width, samples in found.items()}


def statements(points: Mapping[int, SweepPoint], chance: Chance, reference: int, *, seed: int) -> dict[str, object]:
    """What the paper's sentences come to for one optimiser; ``points`` are by width.

    ``gain``: accuracy of the largest width less that of the ``reference`` width. ``growth``: mean dimension at the
    largest width over that at the reference, by adjacency, with bootstrap intervals over the runs; ``widening`` is the
    ratio of the widths. ``at_most``: share of matrices with ``d_out <= d_in``, and ``at_most_chance`` that of
    unstructured matrices of the same shapes. ``above_chance``: share of matrices whose excess is above what one in a
    hundred unstructured ones has. ``best_width``: that of the highest mean accuracy, with the largest mean dimension
    there, ``used``.

    Raises ``ValueError`` where the reference is not among the widths, or is the largest.
    """
    largest = max(points)
    if reference not in points or reference == largest:
        raise ValueError(f"the reference width {reference} is not among {sorted(points)}, or the largest of them")
    low, high = points[reference], points[largest]
    best = max(points, key=lambda width: points[width].accuracy.mean())
    return {
        "smallest_accuracy": points[min(points)].accuracy.mean().item(),
        "largest_accuracy": high.accuracy.mean().item(),
        "gain": difference_of_means(high.accuracy, low.accuracy).as_dict(),
        "widening": largest / reference,
        "growth": {pair: _growth(high.dimensions[pair], low.dimensions[pair], seed) for pair in PAIRS},
        "at_most": _share(points, lambda sample, _: sample.at_most(), chance),
        "at_most_chance": _share(points, lambda _, unstructured: unstructured.at_most(), chance),
        "above_chance": _share(points, _above, chance),
        "best_width": best,
        "used": max(_mean(points[best].dimensions[pair], name) for pair in PAIRS for name in ("d_out", "d_in")),
    }


def _growth(high: DimensionSample, low: DimensionSample, seed: int) -> dict[str, dict[str, float]]:
    return {
        name: bootstrap((getattr(high, name), getattr(low, name)), _ratio, draws=2000, seed=seed).as_dict()
        for name in ("d_out", "d_in")
    }


def _ratio(high: Tensor, low: Tensor) -> Tensor:
    return high.mean(-1) / low.mean(-1)


def _above(sample: DimensionSample, unstructured: DimensionSample) -> Tensor:
    return sample.excess > unstructured.excess.quantile(0.99)


def _mean(sample: DimensionSample, name: str) -> float:
    return getattr(sample, name).mean().item()


def _share(points: Mapping[int, SweepPoint], holds, chance: Chance) -> dict[str, float]:
    """Shares by adjacency over all widths, each width counting the same, and over ``both``."""
    shares = {
        pair: torch.stack(
            [holds(point.dimensions[pair], chance[width][pair]).double().mean() for width, point in points.items()]
        ).mean()
        for pair in PAIRS
    }
    return {pair: share.item() for pair, share in shares.items()} | {"both": (sum(shares.values()) / 2).item()}


def curves(values: Mapping[str, Any]) -> tuple[dict, dict, dict, dict]:
    """What `paperlib.plotting.draw_sweep` draws, from the recorded values.

    Accuracy by training, excess by adjacency and training, and by adjacency the excess of chance and of untrained
    networks.
    """
    found = {TITLES[name]: widths for name, widths in values["by_optimiser"].items()}
    accuracy = {title: {n: point["accuracy"] for n, point in widths.items()} for title, widths in found.items()}
    excess = {
        pair_title: {title: _excess(widths, pair) for title, widths in found.items()}
        for pair, pair_title in PAIR_TITLES.items()
    }
    chance, untrained = (
        {title: _excess(values[name], pair) for pair, title in PAIR_TITLES.items()} for name in ("chance", "untrained")
    )
    return accuracy, excess, chance, untrained


def _excess(widths: Mapping[str, Any], pair: str) -> dict[str, Any]:
    return {n: point[pair]["excess"] for n, point in widths.items()}


HEADER = (
    "optimiser", "accuracy", "gain", "growth of d_in, first", "growth of d_in, second", "d_out ≤ d_in", "best n (used)",
)  # fmt: skip


def table_rows(found: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Rows below ``HEADER`` from the recorded `statements` of each optimiser."""
    return [
        [
            TITLES[name],
            f"{one['smallest_accuracy']:.1%} to {one['largest_accuracy']:.1%}",
            _interval(one["gain"], "{:+.1%}"),
            *(_interval(one["growth"][pair]["d_in"], "× {:.1f}") for pair in PAIRS),
            f"{one['at_most']['both']:.0%} ({one['at_most_chance']['both']:.0%} by chance)",
            f"{one['best_width']} ({one['used']:.0f})",
        ]
        for name, one in found.items()
    ]


NINE_HEADER = ("optimiser", "n", "change common to all outputs, at most", "networks with d_out = 9", "with 10")


def nine_rows(by_optimiser: Mapping[str, Mapping[int | str, Any]]) -> list[list[str]]:
    """Rows below ``NINE_HEADER`` for the largest width: how many dimensions the second adjacency has of ten."""
    rows = []
    for name, widths in by_optimiser.items():
        width = max(widths, key=int)
        d_out = widths[width]["second"]["d_out"]["values"]
        counts = [f"{d_out.count(number)} of {len(d_out)}" for number in (9, 10)]
        rows.append([TITLES[name], str(width), f"{widths[width]['common']:.1g}", *counts])
    return rows


def _interval(found: Mapping[str, float], style: str) -> str:
    value, low, high = (style.format(found[name]) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"
