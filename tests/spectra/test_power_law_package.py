"""The powerlaw package as a second opinion, other laws, and errors by resampling."""

import numpy as np
import pytest
import torch

from paperlib.spectra.planted import planted_power_law
from paperlib.spectra.power_law import ShortSpectrumError, fit_power_law
from paperlib.spectra.power_law_bootstrap import bootstrap_error, goodness_of_fit
from paperlib.spectra.power_law_package import compare_laws, fit_by_package


def planted(count, alpha, seed=0, **settings):
    return planted_power_law(count, alpha, torch.Generator().manual_seed(seed), **settings)


@pytest.mark.parametrize("alpha", [1.4, 2.5, 6.0])
@pytest.mark.parametrize("count", [27, 64, 512])
def test_both_fits_agree(count, alpha):
    """Start and tail are the same; the package's exponents outside 1.5 to 3 are an optimiser's, of tolerance 1e-4."""
    values = planted(count, alpha, seed=count, body=0.4)
    ours, theirs = fit_power_law(values), fit_by_package(values)
    assert (ours.x_min, ours.tail, ours.count) == (theirs.x_min, theirs.tail, theirs.count)
    assert ours.alpha == pytest.approx(theirs.alpha, abs=2e-4)
    assert ours.distance == pytest.approx(theirs.distance, abs=2e-4)


def test_both_fits_agree_on_ties_and_zeros():
    values = torch.cat([(planted(120, 2.2) * 4).round() / 4, torch.zeros(5)])
    ours, theirs = fit_power_law(values), fit_by_package(values)
    assert (ours.x_min, ours.tail, ours.zeros) == (theirs.x_min, theirs.tail, theirs.zeros)
    assert ours.alpha == pytest.approx(theirs.alpha, rel=1e-9)


def test_both_fits_agree_on_a_steep_tail_far_from_one():
    """Exponents near 150 of values near 1,000, whose 149th power no float64 holds."""
    values = 1000 * planted(200, 150.0)
    ours, theirs = fit_power_law(values), fit_by_package(values)
    assert ours.alpha > 110
    assert (ours.x_min, ours.tail) == (theirs.x_min, theirs.tail)
    assert ours.alpha == pytest.approx(theirs.alpha, rel=1e-4)


def test_the_package_refuses_as_we_do():
    with pytest.raises(ValueError, match="too few for a fit"):
        fit_by_package(torch.ones(30))
    with pytest.raises(ValueError, match="not finite"):
        fit_by_package(torch.tensor([1.0, float("nan")]))


def test_a_power_law_is_told_from_an_exponential():
    values = planted(1000, 2.5)
    found = compare_laws(values, fit_power_law(values, x_min=1.0))["exponential"]
    assert found.ratio > 3
    assert found.p_value < 0.01


def test_an_exponential_is_told_from_a_power_law():
    values = torch.from_numpy(1 + np.random.default_rng(0).exponential(size=1000))
    found = compare_laws(values, fit_power_law(values, x_min=1.0))
    assert found["exponential"].ratio < -3
    assert found["lognormal"].ratio < 0


def test_comparison_does_not_depend_on_the_unit():
    values = planted(300, 2.5)
    first = compare_laws(values, fit_power_law(values, x_min=1.0))["lognormal"]
    second = compare_laws(values * 1e-6, fit_power_law(values * 1e-6, x_min=1e-6))["lognormal"]
    assert second.ratio == pytest.approx(first.ratio, rel=1e-3, abs=1e-3)


def test_an_unknown_law_is_refused():
    values = planted(100, 2.5)
    with pytest.raises(ValueError, match="unknown law 'normal'; known: lognormal, exponential"):
        compare_laws(values, fit_power_law(values), ["normal"])


def test_the_bootstrap_error_is_the_spread_over_new_samples():
    """Of 800 values with a sharp start: resampling one sample tells how samples differ, within a factor of 1.6."""
    new = [fit_power_law(planted(800, 2.5, seed, body=0.5)).alpha for seed in range(100)]
    found = bootstrap_error(planted(800, 2.5, body=0.5), draws=150)
    assert found.error / np.std(new) == pytest.approx(1, rel=0.6)
    assert found.low < 2.5 < found.high
    assert found.failed == 0


def test_the_standard_error_is_too_small_where_the_start_is_chosen():
    values = planted(64, 3.0, seed=2)
    assert bootstrap_error(values, draws=200).error > 1.2 * fit_power_law(values).error


def test_resampling_is_seeded():
    values = planted(100, 2.5)
    assert bootstrap_error(values, draws=20, seed=1) == bootstrap_error(values, draws=20, seed=1)
    assert bootstrap_error(values, draws=20, seed=1) != bootstrap_error(values, draws=20, seed=2)


def test_resamplings_without_enough_values_are_counted():
    found = bootstrap_error(torch.tensor([1.0, 2.0, 3.0, 5.0, 9.0, 20.0]), draws=100)
    assert 0 < found.failed < 100


def test_the_probabilities_of_true_laws_are_spread_evenly():
    """Their mean over 30 samples is a half, with a deviation of 0.29 / sqrt(30) = 0.05."""
    found = []
    for seed in range(30):
        values = planted(100, 2.5, seed, body=0.5)
        found.append(goodness_of_fit(values, fit_power_law(values), draws=30, seed=seed))
    assert np.mean(found) == pytest.approx(0.5, abs=0.16)


def test_a_false_law_does_not_fit():
    """A narrow bulk that has to be taken nearly whole."""
    bulk = torch.from_numpy(np.random.default_rng(0).normal(10, 1, 2000)).abs()
    fit = fit_power_law(bulk, smallest_tail=1500)
    assert goodness_of_fit(bulk, fit, draws=60, smallest_tail=1500) < 0.05


def test_resampling_refuses_too_few():
    values = planted(100, 2.5)
    with pytest.raises(ValueError, match="draws is 1"):
        bootstrap_error(values, draws=1)
    with pytest.raises(ValueError, match="draws is 0"):
        goodness_of_fit(values, fit_power_law(values), draws=0)
    with pytest.raises(ShortSpectrumError):
        bootstrap_error(torch.ones(30))
