"""Intervals against formulas, against SciPy, and by how often they hold the truth."""

import numpy as np
import pytest
import torch
from scipy import stats

from paperlib.intervals import bootstrap, difference_of_means, mean_interval


def normal(count: int, seed: int, mean: float = 0.0, deviation: float = 1.0) -> torch.Tensor:
    draws = torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return mean + deviation * draws


def test_an_interval_is_students():
    values = normal(9, 0, 3.0, 2.0)
    found = mean_interval(values, 0.9)
    expected = stats.t.interval(0.9, 8, loc=values.numpy().mean(), scale=stats.sem(values.numpy()))
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-12)
    assert (found.mean, found.count) == (pytest.approx(values.mean().item()), 9)
    assert found.deviation == pytest.approx(np.std(values.numpy(), ddof=1))
    assert all(type(value) in (float, int) for value in found.as_dict().values())


def test_an_interval_holds_the_mean_as_often_as_it_says():
    found = [mean_interval(normal(4, seed)) for seed in range(1000)]
    covered = sum(one.low <= 0 <= one.high for one in found)
    # 95 % of 1,000, four standard deviations of 6.9.
    assert abs(covered - 950) < 28


def test_equal_values_leave_nothing_open():
    found = mean_interval(torch.full((5,), 7.0))
    assert (found.low, found.mean, found.high, found.deviation) == (7, 7, 7, 0)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_values_are_refused(count):
    with pytest.raises(ValueError, match=f"{count} value has no spread"):
        mean_interval(torch.ones(count))


def test_a_difference_has_welchs_interval():
    first, second = normal(6, 1, 5.0, 1.0), normal(11, 2, 3.0, 4.0)
    found = difference_of_means(first, second)
    a, b = first.var().item() / 6, second.var().item() / 11
    freedom = (a + b) ** 2 / (a**2 / 5 + b**2 / 10)
    reach = stats.t.ppf(0.975, freedom) * (a + b) ** 0.5
    assert found.value == pytest.approx((first.mean() - second.mean()).item())
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach), rel=1e-10)


def test_a_difference_of_constants_is_certain():
    found = difference_of_means(torch.full((3,), 2.0), torch.full((4,), 0.5))
    assert (found.value, found.low, found.high) == (1.5, 1.5, 1.5)


def test_a_bootstrap_of_the_mean_is_near_the_normal_interval():
    values = normal(400, 3, 10.0, 2.0)
    found = bootstrap((values,), lambda sample: sample.mean(-1), draws=4000, seed=0)
    reach = 1.96 * values.std().item() / 20
    # The quantiles of 4,000 resamplings scatter by about 4 % of the reach.
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach), abs=0.15 * reach)
    assert found.value == pytest.approx(values.mean().item())


def test_a_bootstrap_resamples_each_sample_by_itself_and_follows_its_seed():
    samples = (normal(20, 4, 8.0), torch.full((3,), 2.0))
    first, second, other = (
        bootstrap(samples, lambda a, b: a.mean(-1) / b.mean(-1), draws=200, seed=seed) for seed in (0, 0, 1)
    )
    assert first == second and first != other
    assert first.value == pytest.approx(samples[0].mean().item() / 2) and first.low < first.value < first.high
