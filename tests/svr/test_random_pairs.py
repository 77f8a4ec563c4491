"""Coefficients of random layers: what is drawn, how it is counted, and that the tests of the law can tell."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from paperlib.svr import adjacency, null_law, spectral_neurons
from paperlib.svr.experiments.random_layers import (
    PAIRS,
    CoefficientSample,
    fit,
    fit_values,
    random_adjacency,
    sample_coefficients,
    shown_rate,
    smallest_p_value,
    survival,
    survival_panels,
)

LAWS = {
    "dense": (64, 1), "conv3": (5, 9), "conv5": (16, 25), "conv7": (16, 49), "conv1x3": (16, 3), "grouped": (16, 9),
    "depthwise": (16, 1), "flattened": (16, 49), "co_svr": (16, 9), "mixed": (16, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_channels_and_degrees_of_freedom_are_those_of_the_paper(name):
    found = random_adjacency(PAIRS[name], "normal", 0)
    assert (found.channels, found.degrees) == LAWS[name] and PAIRS[name].exact


def test_every_other_pair_is_marked_as_near():
    assert {name for name, pair in PAIRS.items() if not pair.exact} == PAIRS.keys() - LAWS.keys()


def test_weights_are_drawn_in_the_order_of_the_layers():
    generator = torch.Generator().manual_seed(4)
    earlier, later = nn.Linear(16, 64), nn.Linear(64, 32)
    for layer in (earlier, later):
        layer.weight.data = torch.randn(layer.weight.shape, generator=generator)
    expected = adjacency(spectral_neurons(later), spectral_neurons(earlier)).coefficients
    found = random_adjacency(PAIRS["dense"], "normal", 4).coefficients
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_uniform_weights_reach_from_minus_1_to_1(monkeypatch):
    seen = []

    def record(layer, side):
        seen.append(layer.weight)
        return spectral_neurons(layer, side)

    monkeypatch.setattr("paperlib.svr.experiments.random_layers.spectral_neurons", record)
    random_adjacency(PAIRS["flattened"], "uniform", 0)
    weights = torch.cat([weight.flatten() for weight in seen]).detach()
    assert weights.abs().max() <= 1
    assert stats.kstest(weights.double().numpy(), stats.uniform(-1, 2).cdf).pvalue > 0.001


def test_the_global_generator_is_left_as_it_was():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    random_adjacency(PAIRS["conv3"], "uniform", 3)
    assert torch.equal(torch.get_rng_state(), state)


def test_another_law_of_the_weights_is_refused():
    with pytest.raises(ValueError, match="weights are 'laplace'; expected normal or uniform"):
        random_adjacency(PAIRS["dense"], "laplace", 0)


def test_a_sample_has_one_coefficient_of_each_draw_at_places_all_over():
    found = sample_coefficients(PAIRS["conv3"], "normal", 60, 0)
    assert found.all.shape == (60, 32, 5)
    places = [(draw == value).nonzero()[0].tolist() for draw, value in zip(found.all, found.single, strict=True)]
    rows, columns = zip(*places, strict=True)
    assert len(set(rows)) > 20 and set(columns) == set(range(5))
    again = random_adjacency(PAIRS["conv3"], "normal", 59).coefficients
    assert torch.equal(found.all[59], again)


@pytest.mark.parametrize("name", LAWS)
def test_single_coefficients_of_normal_layers_have_the_exact_law(name):
    """svr.claim.26, svr.prop.02 and 06: a test on independent coefficients, passed 999 times in 1,000 by a true law."""
    assert fit(sample_coefficients(PAIRS[name], "normal", 250, 1), "beta").p_value > 0.001


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("weights", ["normal", "uniform"])
def test_all_coefficients_are_near_the_law(name, weights):
    found = fit_values(sample_coefficients(PAIRS[name], weights, 60, 2), 0.15)
    assert found["beta"]["distance"] < 0.03
    assert found["rate"]["mean"] == pytest.approx(found["exact_rate"], abs=0.02)


def planted(values: torch.Tensor, channels: int = 40) -> CoefficientSample:
    return CoefficientSample(values, values[:, 0, 0], channels, 1)


def draws_of(law, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(law.rvs(size=shape, random_state=np.random.default_rng(seed)))


def test_a_wrong_law_is_told_from_the_right_one():
    sample = planted(draws_of(null_law(40, 1, "beta"), 500, 4, 3))
    assert fit(sample, "beta").p_value > 0.001
    wrong = CoefficientSample(sample.all, sample.single, 40, 3)
    assert fit(wrong, "beta").p_value < 1e-6 and fit(wrong, "beta").distance > 0.1


def test_a_fit_is_that_of_scipy():
    sample = planted(draws_of(null_law(40, 1, "beta"), 50, 4, 3))
    found, cdf = fit(sample, "chi2"), null_law(40, 1).cdf
    assert found.single == pytest.approx(stats.kstest(sample.all[:, 0, 0].numpy(), cdf).statistic)
    assert found.distance == pytest.approx(stats.kstest(sample.all.flatten().numpy(), cdf).statistic)


def test_the_spread_of_a_rate_is_that_over_draws():
    values = torch.zeros(4, 2, 5, dtype=torch.float64)
    values[0], values[1, 0] = 0.9, 0.9
    found = shown_rate(planted(values), 0.15)
    assert found.mean == pytest.approx((1 + 0.5 + 0 + 0) / 4) and found.count == 4
    assert found.deviation == pytest.approx(np.std([1, 0.5, 0, 0], ddof=1))


def test_survival_counts_what_is_above_each_point():
    values = draws_of(null_law(40, 1, "beta"), 6, 4, 3)
    points = torch.tensor([0.0, 0.5, 1.0, 4.0, 39.9], dtype=torch.float64)
    found = survival(planted(values), points)
    shares = torch.stack([(40 * values > point).double().mean((1, 2)) for point in points], 1)
    torch.testing.assert_close(found[0], shares.mean(0), rtol=0, atol=1e-15)
    torch.testing.assert_close(found[1], shares.std(0) / 6**0.5, rtol=0, atol=1e-15)
    exactly = survival(planted(torch.full((2, 1, 1), 0.5, dtype=torch.float64), 4), torch.tensor([2.0]).double())
    assert exactly[0].tolist() == [0.0]


def test_panels_hold_what_was_measured_and_both_laws():
    samples = {name: sample_coefficients(PAIRS[name], "normal", 12, 0) for name in ("dense", "conv3")}
    for (name, sample), panel in zip(samples.items(), survival_panels(samples), strict=True):
        channels, degrees = LAWS[name]
        assert panel.title == PAIRS[name].title
        np.testing.assert_allclose(panel.limit, stats.chi2(degrees).sf(panel.points), rtol=1e-9)
        exact = null_law(channels, degrees, "beta").sf(panel.points / (channels * degrees))
        np.testing.assert_allclose(panel.exact, exact, rtol=1e-12)
        np.testing.assert_allclose(panel.measured, survival(sample, torch.from_numpy(panel.points)).numpy())
        assert panel.limit[-1] == pytest.approx(1e-5, rel=1e-6) and panel.points[0] > 0


def test_the_smallest_p_value_is_corrected_for_the_number_of_exact_pairs():
    fits = {name: {"beta": {"p_value": 0.5 if pair.exact else 1e-9}} for name, pair in PAIRS.items()}
    fits["conv5"]["beta"]["p_value"] = 0.004
    assert smallest_p_value(fits) == {"smallest": 0.004, "corrected": pytest.approx(0.004 * len(LAWS))}
