"""Means over repeated draws with their intervals, as small objects that a result file can hold."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
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


@dataclass(frozen=True)
class Estimate:
    """A number computed from samples, with its interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


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
    found = statistic(*picked).double()
    tail = (1 - level) / 2
    low, high = found.quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return Estimate(statistic(*samples).item(), low, high)
