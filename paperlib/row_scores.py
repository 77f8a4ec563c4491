"""Rows of numbers made ready for correlation: ranked, centred, freed of what others explain; many resamplings at once.

Arrays are float64 ``(..., count)``; everything is taken along the last axis.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Rows = NDArray[np.float64]
# Turns values into numbers with mean 0 that are then correlated.
Scores = Callable[[Rows], Rows]
# Where each group of rows stands, once the rows are sorted by group.
Parts = tuple[slice, ...]

# Share of its length below which what is left of a row is rounding, of sums of some hundred products in float64.
_NOTHING = 1e-10


def rank_scores(values: Rows) -> Rows:
    """Ranks less their mean; ties share their mean rank."""
    # Ranks are multiples of a half, so that equal values have scores of exactly 0.
    return stats.rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2


def centred(values: Rows) -> Rows:
    """Values less their mean, exactly 0 where all are equal."""
    constant = np.ptp(values, axis=-1, keepdims=True) == 0
    return np.where(constant, 0.0, values - values.mean(axis=-1, keepdims=True))


def parts_of(groups: NDArray) -> tuple[NDArray[np.intp], Parts]:
    """An order of the rows ``(count,)`` that brings groups together, and where each of them stands then."""
    _, sizes = np.unique(groups, return_counts=True)
    ends = np.cumsum(sizes)
    parts = tuple(slice(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True))
    return np.argsort(groups, kind="stable"), parts


def group_scores(parts: Parts) -> Scores:
    """Ranks inside each part, with mean 0 and, without ties, standard deviation 1; a part of one row has score 0."""

    def scores(values: Rows) -> Rows:
        return np.concatenate([_standard(rank_scores(values[..., part])) for part in parts], axis=-1)

    return scores


def _standard(scores: Rows) -> Rows:
    count = scores.shape[-1]
    return scores / np.sqrt((count**2 - 1) / 12) if count > 1 else scores


def residuals(values: Rows, controls: Rows) -> Rows:
    """What a least-squares fit by ``controls`` ``(..., c, count)`` leaves of ``values``; all have mean 0.

    Controls may depend on one another. A row that is explained but for rounding becomes exactly 0.
    """
    gram = controls @ controls.mT
    weights = np.linalg.pinv(gram, rcond=_NOTHING, hermitian=True) @ (controls @ values[..., None])
    left = values - (weights.mT @ controls)[..., 0, :]
    lengths, before = (np.linalg.norm(rows, axis=-1, keepdims=True) for rows in (left, values))
    return np.where(lengths > _NOTHING * before, left, 0.0)


def correlations(first: Rows, second: Rows) -> Rows:
    """Cosines of rows with mean 0, ``(...)``; NaN where one of them is 0."""
    products = np.einsum("...i,...i->...", first, second)
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    return np.divide(products, lengths, out=np.full(np.shape(products), np.nan), where=lengths > 0)
