"""Moments of uniform directions: the paper's formulas against Beta moments, and simulations against both."""

import pytest
import torch
from scipy import stats

from paperlib.svr.experiments.moments import (
    direction_formulas,
    direction_moments,
    law_distance,
    moment_checks,
    slice_variance,
    slice_variance_formula,
    uniform_directions,
)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_formulas_are_the_moments_of_the_beta_law(n):
    law, formulas = stats.beta(0.5, (n - 1) / 2), direction_formulas(n)
    assert formulas["second"] == pytest.approx(law.moment(1), rel=1e-12)
    assert formulas["fourth"] == pytest.approx(law.moment(2), rel=1e-12)
    # The squares of a unit vector's entries add up to 1, so that E (sum x_i^2)^2 = 1 holds n and n (n - 1) of each.
    assert n * formulas["fourth"] + n * (n - 1) * formulas["mixed"] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(("c", "k"), [(5, 9), (16, 25), (3, 1)])
def test_the_variance_of_a_slice_is_that_of_its_beta_law(c, k):
    expected = stats.beta(c / 2, c * (k - 1) / 2).var() if k > 1 else 0.0
    assert slice_variance_formula(c, k) == pytest.approx(expected, rel=1e-12)


def test_directions_have_length_1():
    norms = uniform_directions(50, 7, torch.Generator().manual_seed(0)).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(50, dtype=torch.float64), rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", [3, 20])
def test_simulated_moments_hold_the_formulas_in_their_intervals(n):
    """At the level of four standard errors, which a right formula leaves once in 16,000 times."""
    for name, found in direction_moments(n, 40_000, seed=1, level=0.99994).items():
        assert found.low < direction_formulas(n)[name] < found.high
        assert found.high - found.low < 0.25 * found.mean


@pytest.mark.parametrize("draws", [7, 20_000, 40_007])
def test_as_many_directions_are_drawn_as_asked(draws):
    assert {one.count for one in direction_moments(3, draws, seed=0).values()} == {draws}
    assert slice_variance(2, 3, draws, seed=0).count == draws


def test_the_simulated_variance_holds_the_formula_and_not_another():
    found = slice_variance(5, 9, 40_000, seed=1, level=0.99994)
    assert found.low < slice_variance_formula(5, 9) < found.high
    # What the paper's approximation would give, sqrt(2 / c) times the mean.
    assert not found.low < 2 / 5 / 81 < found.high


def test_checks_tell_a_wrong_formula(monkeypatch):
    checks = moment_checks((5, 12), ((4, 9),), 20_000, seed=0)
    assert [one.case for one in checks] == ["n = 5"] * 3 + ["n = 12"] * 3 + ["c = 4, 9 kernel entries"]
    assert max(abs(one.deviation) for one in checks) < 4.5
    recorded = checks[0].as_dict()
    assert recorded["deviation"] == checks[0].deviation and recorded["found"]["count"] == 20_000
    monkeypatch.setattr("paperlib.svr.experiments.moments.slice_variance_formula", lambda c, k: 2 / c / k**2)
    assert abs(moment_checks((), ((4, 9),), 20_000, seed=0)[0].deviation) > 10


def test_the_limit_comes_nearer_as_one_over_the_channels():
    """svr.prop.01 and 05: 0.0626 for n = 5, 0.0070 for n = 40, 0.0022 for n = 128; 0.037 for c = 5 and K = 3."""
    found = {(c, k): law_distance(c, k) for c in (5, 40, 80, 128) for k in (1, 9)}
    expected = {(5, 1): 0.0626, (40, 1): 0.0070, (128, 1): 0.0022, (5, 9): 0.0366}
    for case, distance in expected.items():
        assert found[case] == pytest.approx(distance, abs=6e-5)
    for k in (1, 9):
        assert found[40, k] / found[80, k] == pytest.approx(2, rel=0.05)
