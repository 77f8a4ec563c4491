"""How one quantity goes with another over a handful of networks: a straight line with its interval, and ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from paperlib.rank_correlation import rank_interval


@dataclass(frozen=True)
class Trend:
    """A straight line fitted by least squares, and the rank correlation.

    ``slope_low`` to ``slope_high`` is Student's interval of the slope, ``spearman_low`` to ``spearman_high`` the
    percentile interval of the rank correlation over resamplings of the networks. ``correlation`` is Pearson's. What
    `line` needs: the mean ``centre`` of x, the sum of its squared deviations ``spread``, the residuals' ``deviation``
    and Student's factor ``reach``.
    """

    count: int
    slope: float
    slope_low: float
    slope_high: float
    intercept: float
    correlation: float
    spearman: float
    spearman_low: float
    spearman_high: float
    centre: float
    spread: float
    deviation: float
    reach: float

    @property
    def r_squared(self) -> float:
        return self.correlation**2

    def summary(self) -> dict[str, float]:
        """The numbers that a result file holds."""
        names = ("slope", "slope_low", "slope_high", "spearman", "spearman_low", "spearman_high", "r_squared")
        return {name: getattr(self, name) for name in names} | {"networks": self.count}

    def line(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The line at ``x`` and the interval of its mean there: three arrays of the same shape."""
        middle = self.intercept + self.slope * x
        reach = self.reach * self.deviation * np.sqrt(1 / self.count + (x - self.centre) ** 2 / self.spread)
        return middle, middle - reach, middle + reach


def trend(x: Sequence[float], y: Sequence[float], *, draws: int = 2000, seed: int = 0, level: float = 0.95) -> Trend:
    """The trend of ``y`` with ``x``, pairs of one network each.

    Resamplings in which one of the two is constant have no rank correlation and are left out.
    Raises ``ValueError`` for fewer than three pairs, values that are not finite, and where all x or all y are equal.
    """
    first, second = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 3:
        raise ValueError(f"{first.shape} and {second.shape} values; expected three or more pairs")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("some values are not finite")
    if not (np.ptp(first) and np.ptp(second)):
        raise ValueError("all values of one quantity are equal; there is no trend to fit")
    line = stats.linregress(first, second)
    reach = float(stats.t.ppf((1 + level) / 2, len(first) - 2))
    low, high = rank_interval(first, second, draws=draws, seed=seed, level=level)
    residuals = second - line.intercept - line.slope * first
    return Trend(
        count=len(first),
        slope=float(line.slope),
        slope_low=float(line.slope - reach * line.stderr),
        slope_high=float(line.slope + reach * line.stderr),
        intercept=float(line.intercept),
        correlation=float(line.rvalue),
        spearman=float(stats.spearmanr(first, second).statistic),
        spearman_low=low,
        spearman_high=high,
        centre=float(first.mean()),
        spread=float(((first - first.mean()) ** 2).sum()),
        deviation=float(np.sqrt((residuals**2).sum() / (len(first) - 2))),
        reach=reach,
    )
