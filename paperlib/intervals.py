"""Means and other estimates with their intervals, as small objects that a result file can hold."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import stats
from torch import Tensor


@dataclass(frozen=True)
class Mean:
    """The mean of ``count`` values with the interval ``low`` to ``high`` of the mean, and the values' deviation."""

    mean: float
    low: float
    high: float
    deviation: float
    count: int

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def mean_interval(values: Tensor, level: float = 0.95) -> Mean:
    """Student's t-interval of the mean of independent draws ``(count,)``.

    Raises ``ValueError`` for fewer than two values, of which no spread is known.
    """
    count = len(values)
    if count < 2:
        raise ValueError(f"{count} value has no spread; expected two or more")
    mean, deviation = values.double().mean().item(), values.double().std().item()
    reach = float(stats.t.ppf((1 + level) / 2, count - 1)) * deviation / count**0.5
    return Mean(mean, mean - reach, mean + reach, deviation, count)


class Numbers:
    """Base of dataclasses whose fields are numbers, which a result file holds by name."""

    def as_dict(self) -> dict[str, float | None]:
        """The fields for a result file, which cannot hold NaN: None in its place."""
        return {name: None if math.isnan(number) else number for name, number in asdict(self).items()}

    @classmethod
    def from_dict(cls, found: Mapping[str, float | None]) -> Self:
        """What `as_dict` was made of."""
        return cls(**{name: math.nan if number is None else number for name, number in found.items()})


@dataclass(frozen=True)
class Estimate(Numbers):
    """A number computed from samples, with its interval."""

    value: float
    low: float
    high: float


def difference_of_means(first: Tensor, second: Tensor, level: float = 0.95) -> Estimate:
    """``mean(first) - mean(second)`` of two independent samples, with Welch's interval for unequal variances."""
    first, second = first.double(), second.double()
    value = (first.mean() - second.mean()).item()
    if first.std() == 0 and second.std() == 0:
        return Estimate(value, value, value)
    found = stats.ttest_ind(first.numpy(), second.numpy(), equal_var=False).confidence_interval(level)
    return Estimate(value, float(found.low), float(found.high))


def bootstrap(
    samples: tuple[Tensor, ...], statistic: Callable[..., Tensor], *, draws: int, seed: int, level: float = 0.95
) -> Estimate:
    """``statistic(*samples)`` with its percentile interval over ``draws`` resamplings of each independent sample.

    Each sample is ``(count,)``; the statistic takes them with any axes in front and reduces the last one.
    """
    generator = torch.Generator().manual_seed(seed)
    picked = [sample[torch.randint(len(sample), (draws, len(sample)), generator=generator)] for sample in samples]
    return Estimate(statistic(*samples).item(), *percentile_interval(statistic(*picked), level))


def percentile_interval(found: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """The middle ``level`` of resampled values ``(draws,)``, the percentile interval of a bootstrap.

    Resamplings without a value (NaN) are left out; where none has one, so are both ends.
    """
    values = np.asarray(found, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
