"""Continuous power laws fitted to spectra, as Clauset, Shalizi and Newman (2009) do."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paperlib.spectra.esd import checked_values
from paperlib.spectra.power_law_search import Floats, Tails, best_start, tails

# Values in the tail from which on Clauset et al. (2009, Section 3.1) call the exponent reliable, as a rule of thumb.
RELIABLE_TAIL = 50

# Distinct values below which no fit is made: two thirds of four would be one tail of three.
FEWEST = 5


class ShortSpectrumError(ValueError):
    """Too few distinct eigenvalues for a fit; the message says how many there are and how many are needed."""


@dataclass(frozen=True)
class PowerLaw:
    """The density ``(alpha - 1) / x_min * (x / x_min)^-alpha`` above ``x_min``, fitted to positive values.

    ``distance`` is the Kolmogorov-Smirnov distance of the ``tail`` values at or above ``x_min``, with the empirical
    law counted strictly below each value, as in the code of Clauset et al.; ``count`` values were positive, ``zeros``
    were not. ``error`` is the standard error ``(alpha - 1) / sqrt(tail)``, which takes ``x_min`` as known.
    """

    alpha: float
    x_min: float
    distance: float
    tail: int
    count: int
    zeros: int

    @property
    def error(self) -> float:
        return (self.alpha - 1) / self.tail**0.5

    @property
    def warning(self) -> str | None:
        """Why the exponent is not to be trusted, or None."""
        if self.tail >= RELIABLE_TAIL:
            return None
        return (
            f"the tail holds {self.tail} of {self.count} values; below {RELIABLE_TAIL} the exponent is biased and its "
            "standard error too small"
        )

    def density(self, x: Tensor) -> Tensor:
        """Density of the tail at ``x``, float64 of any shape; 0 below ``x_min``."""
        x = x.double()
        return torch.where(x < self.x_min, 0.0, (self.alpha - 1) / self.x_min * (x / self.x_min) ** -self.alpha)


def fit_power_law(eigenvalues: Tensor, *, x_min: float | None = None, smallest_tail: int = 3) -> PowerLaw:
    """Exponent by maximum likelihood, lower end of the tail by the least Kolmogorov-Smirnov distance.

    ``eigenvalues`` ``(n,)``, in any order and unit: a factor changes ``x_min`` and leaves ``alpha``. Zeros are counted
    and left out. Candidates for ``x_min`` are all distinct values but the two largest whose tail holds at least
    ``smallest_tail`` values; each of them is measured, or excluded by a lower bound of its distance. A given ``x_min``
    is kept. With ``smallest_tail`` at 3 or less the candidates are those of the `powerlaw` package.

    Raises `ShortSpectrumError` below `FEWEST` distinct positive values, where no tail is large enough, and where
    ``x_min`` leaves fewer than two distinct values; ``ValueError`` for negative or non-finite eigenvalues.

    In the book: thm-few-values.
    """
    positive, zeros = split_zeros(eigenvalues)
    return _fitted(positive, zeros, x_min, smallest_tail)


def split_zeros(eigenvalues: Tensor) -> tuple[Floats, int]:
    """Positive values in increasing order, and the number of zeros; raises ``ValueError`` as `fit_power_law` does."""
    values = checked_values(eigenvalues, "eigenvalues").numpy()
    positive = np.sort(values[values > 0])
    return positive, len(values) - len(positive)


def _fitted(positive: Floats, zeros: int, x_min: float | None, smallest_tail: int) -> PowerLaw:
    kept = positive if x_min is None else positive[positive >= x_min]
    found = tails(kept)
    needed = FEWEST if x_min is None else 2
    if len(found.logs) < needed or len(kept) < smallest_tail:
        above = "" if x_min is None else f" at or above {x_min:g}"
        raise ShortSpectrumError(
            f"{len(kept)} positive eigenvalues{above}, {len(found.logs)} of them distinct; a power law needs at least "
            f"{max(needed, smallest_tail)}, {needed} of them distinct"
        )
    if x_min is not None:
        return PowerLaw(*_given_start(found, x_min), len(kept), len(positive), zeros)
    start = best_start(found, smallest_tail)
    tail = int(found.counts[start.index])
    alpha = 1 + float(found.slopes[start.index])
    return PowerLaw(alpha, float(kept[len(kept) - tail]), start.distance, tail, len(positive), zeros)


def _given_start(found: Tails, x_min: float) -> tuple[float, float, float]:
    """Exponent, start and distance where the tail begins at ``x_min``, below its first value or at it."""
    steps = np.maximum(found.logs - np.log(x_min), 0)
    multiplicities = -np.diff(found.counts, append=0)
    slope = found.counts[0] / (multiplicities * steps).sum()
    gaps = np.abs(found.counts / found.counts[0] - np.exp(-slope * steps))
    return 1 + float(slope), x_min, float(gaps.max())
