"""Mean Dice in bands of a projection ratio between its quantiles (`generalizability`, Table 2)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Band:
    """The ``count`` volumes whose ratio is at least ``low`` and below ``high``, the last band's own end included.

    ``mean``, ``deviation`` (of the sample) and ``minimum`` are of their Dice; NaN where there are too few volumes.
    """

    low: float
    high: float
    count: int
    mean: float
    deviation: float
    minimum: float

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return self.deviation / math.sqrt(self.count) if self.count else math.nan

    def as_dict(self) -> dict[str, float | None]:
        """The fields for a result file, which cannot hold NaN: None in its place."""
        return {name: None if math.isnan(number) else number for name, number in asdict(self).items()}

    @classmethod
    def from_dict(cls, found: Mapping[str, float | None]) -> Self:
        """The band that `as_dict` was made of."""
        return cls(**{name: math.nan if number is None else number for name, number in found.items()})


def quantile_bands(ratio: ArrayLike, dice: ArrayLike, quantiles: Sequence[float] = QUANTILES) -> tuple[Band, ...]:
    """The bands of ``ratio`` ``(count,)``, from the lowest, with the ``dice`` ``(count,)`` of their volumes.

    Limits are linearly interpolated quantiles; a volume on a limit belongs above it. Volumes of equal ratio stay
    together, so that many ties can leave a band empty.
    Raises ``ValueError`` for no volumes, shapes that differ, values that are not finite, and quantiles that do not
    rise between 0 and 1.
    """
    ratios, values = _checked(ratio, dice)
    limits, members = _members(ratios, quantiles)
    ends = [float(ratios.min()), *limits.tolist(), float(ratios.max())]
    return tuple(_band(ends[place], ends[place + 1], values[members == place]) for place in range(len(ends) - 1))


def band_names(quantiles: Sequence[float] = QUANTILES) -> tuple[str, ...]:
    """How a table names the bands: ``("below 10 %", "10 to 50 %", "50 to 90 %", "above 90 %")``."""
    shares = [f"{100 * quantile:g}" for quantile in quantiles]
    between = [f"{low} to {high} %" for low, high in pairwise(shares)]
    return (f"below {shares[0]} %", *between, f"above {shares[-1]} %")


def rises(bands: Sequence[Band]) -> bool:
    """Whether the mean Dice of each band is above that of the band before it; no empty band can be."""
    return all(low.mean < high.mean for low, high in pairwise(bands))


def chance_of_rising(
    ratio: ArrayLike,
    dice: ArrayLike,
    quantiles: Sequence[float] = QUANTILES,
    *,
    permutations: int = 9999,
    seed: int = 0,
) -> float:
    """The share of random assignments of the ratios to the volumes in which the mean Dice rises over all bands.

    With four bands of one size this is 1 in 24; with small bands at both ends, whose means scatter more, it is more.
    0 where a band is empty. Raises as `quantile_bands`.
    """
    ratios, values = _checked(ratio, dice)
    limits, members = _members(ratios, quantiles)
    of_band = members[:, None] == np.arange(len(limits) + 1)
    counts = of_band.sum(axis=0)
    if not counts.all():
        return 0.0
    mixed = np.random.default_rng(seed).permuted(np.broadcast_to(values, (permutations, len(values))), axis=1)
    means = mixed @ (of_band / counts)
    return float((np.diff(means, axis=1) > 0).all(axis=1).mean())


def _checked(ratio: ArrayLike, dice: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ratios, values = np.asarray(ratio, dtype=np.float64), np.asarray(dice, dtype=np.float64)
    if ratios.shape != values.shape or ratios.ndim != 1 or not len(ratios):
        raise ValueError(
            f"ratios of shape {ratios.shape} and Dice of shape {values.shape}; expected one of each a volume"
        )
    if not (np.isfinite(ratios).all() and np.isfinite(values).all()):
        raise ValueError("some ratios or Dice are not finite; leave out the volumes that could not be measured")
    return ratios, values


def _members(ratios: NDArray[np.float64], quantiles: Sequence[float]) -> tuple[NDArray, NDArray]:
    """The limits between the bands, and the number of each volume's band."""
    steps = np.diff([0.0, *quantiles, 1.0])
    if not len(quantiles) or (steps <= 0).any():
        raise ValueError(f"quantiles are {tuple(quantiles)}; expected numbers that rise between 0 and 1")
    limits = np.quantile(ratios, quantiles)
    return limits, np.searchsorted(limits, ratios, side="right")


def _band(low: float, high: float, dice: NDArray[np.float64]) -> Band:
    count = len(dice)
    return Band(
        low,
        high,
        count,
        mean=float(dice.mean()) if count else math.nan,
        deviation=float(dice.std(ddof=1)) if count > 1 else math.nan,
        minimum=float(dice.min()) if count else math.nan,
    )
