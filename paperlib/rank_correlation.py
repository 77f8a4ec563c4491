"""How well one number of a volume orders another: rank correlations with intervals and p-values of no distribution.

>>> from paperlib.rank_correlation import rank_correlation
>>> found = rank_correlation([0.1, 0.3, 0.2, 0.4, 0.5], [0.80, 0.84, 0.85, 0.90, 0.91])
>>> round(found.value, 3)
0.9

All intervals are percentile intervals over resamplings of the rows, all p-values two-sided and from permutations. A
quantity that has the same value in every row has no correlation: value and interval are NaN, the p-value is 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from paperlib.intervals import Estimate, Numbers, percentile_interval
from paperlib.row_scores import Parts, Scores, centred, correlations, group_scores, parts_of, rank_scores, residuals

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class RankCorrelation(Numbers):
    """A correlation ``value`` of ``count`` rows, the interval ``low`` to ``high``, and ``p_value`` of no association.

    Of ranks (Spearman's) unless a function says otherwise.
    """

    value: float
    low: float
    high: float
    p_value: float
    count: int


def rank_correlation(
    x: ArrayLike, y: ArrayLike, *, draws: int = 2000, permutations: int = 9999, seed: int = 0, level: float = 0.95
) -> RankCorrelation:
    """Spearman's correlation of ``x`` and ``y``, each ``(count,)``; ties share their mean rank.

    ``draws`` resamplings give the interval that holds ``level`` of them, ``permutations`` of x the p-value: the share
    of them, x's own order included, with a correlation at least as far from 0.
    Raises ``ValueError`` for fewer than three rows, other shapes, and values that are not finite.
    """
    return _correlation(*_rows(x, y), rank_scores, None, draws, permutations, seed, level)


def pearson_correlation(
    x: ArrayLike, y: ArrayLike, *, draws: int = 2000, permutations: int = 9999, seed: int = 0, level: float = 0.95
) -> RankCorrelation:
    """The same of the values themselves in place of their ranks."""
    return _correlation(*_rows(x, y), centred, None, draws, permutations, seed, level)


def within_groups(
    x: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    draws: int = 2000,
    permutations: int = 9999,
    seed: int = 0,
    level: float = 0.95,
) -> RankCorrelation:
    """Spearman's correlation inside groups, such as the folds: differences between groups count for nothing.

    ``groups`` ``(count,)`` names the group of each row. Ranks are taken inside each group and divided by their standard
    deviation, then pooled: without ties this is the mean of the groups' correlations, weighted by their rows.
    Resamplings keep the size of each group, permutations stay inside it. Raises as `rank_correlation`.
    """
    first, second = _rows(x, y)
    order, parts = _grouped(groups, first)
    scores = group_scores(parts)
    return _correlation(first[order], second[order], scores, parts, draws, permutations, seed, level)


def partial_rank_correlation(
    x: ArrayLike,
    y: ArrayLike,
    controls: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    draws: int = 2000,
    permutations: int = 9999,
    seed: int = 0,
    level: float = 0.95,
) -> RankCorrelation:
    """Spearman's correlation of ``x`` and ``y`` with what ``controls`` ``(count, c)`` explain taken out of both.

    All are ranked, the ranks of x and y are fitted by those of the controls with least squares, and what is left over
    is correlated. A resampling of rows does all this anew. The p-value is Freedman and Lane's (1983): x is rebuilt from
    its fit and its permuted left-over, and fitted again.
    With ``groups`` ``(count,)`` ranks, resamplings and permutations are those of `within_groups`.
    NaN and p-value 1 too where the controls explain x or y wholly. Raises as `within_groups`, and ``ValueError`` where
    there are not three rows more than controls.
    """
    first, second = _rows(x, y)
    count = len(first)
    order, parts = _grouped(np.zeros(count) if groups is None else groups, first)
    scores = group_scores(parts)
    table = np.asarray(controls, dtype=np.float64)
    if table.ndim != 2 or len(table) != count:
        raise ValueError(f"controls of shape {table.shape}; expected ({count}, c), a column for each of c quantities")
    table = np.stack([_rows(control, y)[0] for control in table.T])
    if count < len(table) + 3:
        raise ValueError(f"{count} rows for {len(table)} controls; expected at least {len(table) + 3}")

    first, second, table = first[order], second[order], table[:, order]

    def left_over(picked: NDArray[np.intp]) -> tuple[Rows, Rows]:
        fixed = np.stack([scores(control[picked]) for control in table], axis=-2)
        return residuals(scores(first[picked]), fixed), residuals(scores(second[picked]), fixed)

    one, other = left_over(np.arange(count))
    value = float(correlations(one, other))
    low, high = _interval(lambda picked: correlations(*left_over(picked)), parts, draws, seed, level)
    fixed = np.stack([scores(control) for control in table])
    mixed = residuals(_permuted(one, parts, permutations, seed), fixed)
    return _result(value, low, high, correlations(mixed, other), count)


def difference_of_dependent_correlations(
    x1: ArrayLike, x2: ArrayLike, y: ArrayLike, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Estimate:
    """Spearman's correlation of ``x1`` with ``y`` less that of ``x2`` with the same ``y``, each ``(count,)``.

    The interval resamples rows, all three together, so that what x1 and x2 share does not widen it. A quantity that
    falls as y rises enters negated, where the strengths are to be compared. Raises as `rank_correlation`.
    """
    (first, target), (second, _) = _rows(x1, y), _rows(x2, y)

    def difference(picked: NDArray[np.intp]) -> Rows:
        ranks = rank_scores(target[picked])
        return correlations(rank_scores(first[picked]), ranks) - correlations(rank_scores(second[picked]), ranks)

    low, high = _interval(difference, (slice(0, len(target)),), draws, seed, level)
    return Estimate(float(difference(np.arange(len(target)))), low, high)


def rank_interval(
    x: ArrayLike, y: ArrayLike, *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """The interval of `rank_correlation` alone; resamplings in which x or y is constant are left out."""
    first, second = _rows(x, y)
    return _interval(_resampled(first, second, rank_scores), (slice(0, len(first)),), draws, seed, level)


def chance_range(count: int, level: float = 0.95) -> tuple[float, float]:
    """The range about 0 that holds ``level`` of the rank correlations of ``count`` independent pairs.

    By Student's law with ``count - 2`` degrees of freedom, which is close from about ten pairs on.
    Raises ``ValueError`` for fewer than three pairs.
    """
    if count < 3:
        raise ValueError(f"{count} pairs; expected three or more")
    t = float(stats.t.ppf((1 + level) / 2, count - 2))
    reach = t / math.sqrt(count - 2 + t * t)
    return -reach, reach


def _rows(x: ArrayLike, y: ArrayLike) -> tuple[Rows, Rows]:
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 3:
        raise ValueError(f"values of shapes {first.shape} and {second.shape}; expected three or more pairs")
    for name, values in (("first", first), ("second", second)):
        lacking = np.flatnonzero(~np.isfinite(values))
        if len(lacking):
            raise ValueError(
                f"the {name} quantity is not finite in {len(lacking)} of {len(values)} rows, first in row "
                f"{lacking[0]}; leave out the rows that could not be measured"
            )
    return first, second


def _grouped(groups: ArrayLike, rows: Rows) -> tuple[NDArray[np.intp], Parts]:
    names = np.asarray(groups)
    if names.shape != rows.shape:
        raise ValueError(f"groups of shape {names.shape} for {len(rows)} rows; expected one for each row")
    return parts_of(names)


def _correlation(
    x: Rows, y: Rows, scores: Scores, parts: Parts | None, draws: int, permutations: int, seed: int, level: float
) -> RankCorrelation:
    parts = parts or (slice(0, len(x)),)
    first, second = scores(x), scores(y)
    low, high = _interval(_resampled(x, y, scores), parts, draws, seed, level)
    null = correlations(_permuted(first, parts, permutations, seed), second)
    return _result(float(correlations(first, second)), low, high, null, len(x))


def _resampled(x: Rows, y: Rows, scores: Scores) -> Callable[[NDArray[np.intp]], Rows]:
    return lambda picked: correlations(scores(x[picked]), scores(y[picked]))


def _interval(
    statistic: Callable[[NDArray[np.intp]], Rows], parts: Parts, draws: int, seed: int, level: float
) -> tuple[float, float]:
    """The percentile interval of a statistic of row numbers ``(draws, count)``, drawn inside each part."""
    generator = np.random.default_rng(seed)
    picked = [
        generator.integers(part.start, part.stop, size=(draws, part.stop - part.start), dtype=np.int64)
        for part in parts
    ]
    return percentile_interval(statistic(np.concatenate(picked, axis=1)), level)


def _permuted(values: Rows, parts: Parts, permutations: int, seed: int) -> Rows:
    """``(permutations, count)``, mixed inside each part."""
    # A stream of its own: a permutation must not hang on the draws of the interval.
    generator = np.random.default_rng([seed, 1])
    copies = np.broadcast_to(values, (permutations, len(values)))
    return np.concatenate([generator.permuted(copies[:, part], axis=1) for part in parts], axis=1)


def _result(value: float, low: float, high: float, null: Rows, count: int) -> RankCorrelation:
    if math.isnan(value):
        return RankCorrelation(math.nan, math.nan, math.nan, 1.0, count)
    # Rounding must not make a permutation with the same pairs lose against the order that was found.
    beyond = int((np.abs(null) >= abs(value) - 1e-12).sum())
    return RankCorrelation(value, low, high, (1 + beyond) / (1 + len(null)), count)
