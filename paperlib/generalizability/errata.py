"""Printed formulas and numbers of `generalizability`, computed as printed and as they must be."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch

from paperlib.flattening import pooling_regions
from paperlib.projection import constant_energy, label_vectors, left_projection_ratio


@dataclass(frozen=True)
class StrideCheck:
    """How the flattened regions of Definition 1 cover the fine grid of ``total`` voxels.

    ``covered`` distinct voxels inside the grid; ``double_counts``: memberships beyond the first of a voxel.
    """

    covered: int
    total: int
    double_counts: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def stride_check(coarse: tuple[int, int, int]) -> dict[str, StrideCheck]:
    """Coverage by the regions ``"as printed"`` (strides n and mn) and ``"corrected"`` (2n and 4mn)."""
    m, n, d = coarse
    checks = {}
    for name, corrected in (("as printed", False), ("corrected", True)):
        regions = pooling_regions(coarse, corrected=corrected)
        covered = len(regions.unique())
        checks[name] = StrideCheck(covered, 8 * m * n * d, regions.numel() - covered)
    return checks


@dataclass(frozen=True)
class NullSpaceCheck:
    """A vector in the null space of a random matrix: its largest logit, its probabilities and its predicted class.

    ``logit`` is relative to the norms of matrix and vector; ``probability_deviation`` is the largest distance of a
    probability from ``1 / classes``; ``tied_class`` is what argmax returns for logits that are exactly equal.
    """

    logit: float
    probability_deviation: float
    tied_class: int

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def null_space_check(seed: int, classes: int = 10, dimension: int = 784) -> NullSpaceCheck:
    """Project a random vector on the null space of a random ``(classes, dimension)`` matrix (equations 11 and 12)."""
    generator = torch.Generator().manual_seed(seed)
    A = torch.randn(classes, dimension, generator=generator, dtype=torch.float64)
    x = torch.randn(dimension, generator=generator, dtype=torch.float64)
    Q = torch.linalg.qr(A.T).Q
    null = x - Q @ (Q.T @ x)
    logits = A @ null
    return NullSpaceCheck(
        logit=(logits.abs().max() / (A.norm() * null.norm())).item(),
        probability_deviation=(logits.softmax(0) - 1 / classes).abs().max().item(),
        tied_class=int(torch.zeros(classes).argmax()),
    )


def table_two_mean(shares: Sequence[float], means: Sequence[float]) -> float:
    """Mean over all volumes from the means of the quantile bins (Table 2), weighted by the shares of the bins."""
    return float(sum(share * mean for share, mean in zip(shares, means, strict=True)) / sum(shares))


@dataclass(frozen=True)
class LabelMapCheck:
    """Geometry of ten label vectors, as given and centred.

    ``constant_energy`` lies along (1, ..., 1); ``cosine`` is that between two labels; ``lpr_constant`` is the LPR of
    every label for the one left vector along (1, ..., 1), ``lpr_label`` for the unit vector at the label, and
    ``lpr_random`` its mean over random directions; ``softmax_label`` and ``softmax_other`` are the probabilities.
    """

    constant_energy: tuple[float, float]
    cosine: tuple[float, float]
    lpr_constant: tuple[float, float]
    lpr_label: tuple[float, float]
    lpr_random: tuple[float, float]
    softmax_label: tuple[float, float]
    softmax_other: tuple[float, float]

    def as_dict(self) -> dict[str, object]:
        """Plain names for the label map as given, ``centred_...`` for the centred one."""
        fields = asdict(self)
        given = {name: pair[0] for name, pair in fields.items()}
        centred = {f"centred_{name}": pair[1] for name, pair in fields.items()}
        return given | centred | {"softmax": [self.softmax_label[0], self.softmax_other[0]]}

    def rows(self) -> list[list[str]]:
        """Rows of a table: meaning, as given, centred."""
        meanings = {
            "constant_energy": "share of the energy along (1, ..., 1)",
            "cosine": "cosine of two different labels",
            "lpr_constant": "LPR of every label for the one vector along (1, ..., 1)",
            "lpr_label": "LPR for the unit vector at the label",
            "lpr_random": "mean LPR for a random vector",
            "softmax_label": "softmax at the label",
            "softmax_other": "softmax elsewhere",
        }
        # Rounding to twelve digits shows what is zero up to rounding as 0.
        return [
            [meaning, *(f"{round(value, 12) + 0:.4g}" for value in getattr(self, name))]
            for name, meaning in meanings.items()
        ]


def label_map_check(high: float, low: float, seed: int, classes: int = 10) -> LabelMapCheck:
    """Measure the label map with entries ``high`` at the label and ``low`` elsewhere, and its centred form."""
    labels = torch.arange(classes)
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(10_000, classes, 1, generator=generator, dtype=torch.float64)
    directions = directions / directions.norm(dim=1, keepdim=True)
    ones = torch.full((classes, 1), classes**-0.5, dtype=torch.float64)
    pairs = []
    for centred in (False, True):
        y = label_vectors(labels, classes, high=high, low=low, centred=centred)
        softmax = y[0].softmax(0)
        at_label = left_projection_ratio(torch.eye(classes, dtype=torch.float64).unsqueeze(-1), y)
        pairs.append(
            (
                constant_energy(y[0]).item(),
                torch.cosine_similarity(y[0], y[1], dim=0).item(),
                left_projection_ratio(ones, y[0]).item(),
                at_label[0].item(),
                left_projection_ratio(directions, y[0].expand(len(directions), -1)).mean().item(),
                softmax[0].item(),
                softmax[1].item(),
            )
        )
    return LabelMapCheck(*zip(*pairs, strict=True))
