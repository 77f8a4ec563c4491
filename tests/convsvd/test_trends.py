"""Straight lines and rank correlations over a handful of networks, against scipy and by their coverage."""

import numpy as np
import pytest
from scipy import stats

from paperlib.convsvd.trends import trend


def pairs(count, slope, noise, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=count)
    return x, 1 + slope * x + noise * generator.normal(size=count)


def test_the_line_is_scipys():
    x, y = pairs(8, -2, 0.5)
    found, expected = trend(x, y), stats.linregress(x, y)
    assert found.slope == pytest.approx(expected.slope, rel=1e-12)
    assert found.intercept == pytest.approx(expected.intercept, rel=1e-12)
    assert found.r_squared == pytest.approx(expected.rvalue**2, rel=1e-12)
    assert found.spearman == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-12)
    reach = stats.t.ppf(0.975, 6) * expected.stderr
    assert (found.slope_low, found.slope_high) == pytest.approx((expected.slope - reach, expected.slope + reach))


def test_slopes_lie_in_their_intervals_as_often_as_they_say():
    """Of 400 samples 95 %, give or take four binomial deviations of 1.1 %."""
    inside = 0
    for seed in range(400):
        found = trend(*pairs(5, 1.0, 0.7, seed), draws=2)
        inside += found.slope_low <= 1.0 <= found.slope_high
    assert inside / 400 == pytest.approx(0.95, abs=0.045)


def test_the_interval_of_the_line_at_zero_is_that_of_the_intercept():
    x, y = pairs(9, 0.3, 1.0)
    expected = stats.linregress(x, y)
    middle, low, high = (one.item() for one in trend(x, y).line(np.array([0.0])))
    reach = stats.t.ppf(0.975, 7) * expected.intercept_stderr
    assert (middle, low, high) == pytest.approx(
        (expected.intercept, expected.intercept - reach, expected.intercept + reach)
    )


def test_an_exact_order_has_no_spread():
    found = trend([1, 2, 3, 4, 5], [5, 4, 3, 2, 0])
    assert (found.spearman, found.spearman_low, found.spearman_high) == pytest.approx((-1, -1, -1))


def test_rank_intervals_hold_the_truth_and_narrow_with_the_number():
    few, many = trend(*pairs(6, 1, 1.0)), trend(*pairs(200, 1, 1.0))
    assert few.spearman_low <= few.spearman <= few.spearman_high
    assert many.spearman_high - many.spearman_low < 0.3 < few.spearman_high - few.spearman_low


def test_resampling_is_seeded():
    x, y = pairs(6, 1, 1.0)
    assert trend(x, y, seed=1) == trend(x, y, seed=1)
    assert trend(x, y, draws=50, seed=1).spearman_low != trend(x, y, draws=50, seed=2).spearman_low


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2], [1, 2], "expected three or more pairs"),
        ([1, 2, 3], [1, 2], "expected three or more pairs"),
        ([1, 1, 1], [1, 2, 3], "all values of one quantity are equal"),
        ([1, 2, 3], [4, 4, 4], "all values of one quantity are equal"),
        ([1, 2, float("nan")], [1, 2, 3], "not finite"),
    ],
)
def test_refusals(x, y, message):
    with pytest.raises(ValueError, match=message):
        trend(x, y)
