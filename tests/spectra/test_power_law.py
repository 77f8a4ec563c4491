"""Power-law fits: planted exponents, the search against every candidate, ties, scales, short spectra."""

import numpy as np
import pytest
import torch

from paperlib.spectra.marchenko_pastur import MarchenkoPastur
from paperlib.spectra.planted import planted_power_law, planted_random
from paperlib.spectra.power_law import ShortSpectrumError, fit_power_law
from paperlib.spectra.power_law_search import all_distances, best_start, tails


def planted(count, alpha, seed=0, **settings):
    return planted_power_law(count, alpha, torch.Generator().manual_seed(seed), **settings)


@pytest.mark.parametrize("alpha", [1.5, 2.5, 4.0])
@pytest.mark.parametrize("count", [512, 100_000])
def test_the_exponent_of_a_planted_law_within_three_errors(count, alpha):
    """convsvd.prop.14, where asymptotics hold: with x_min known the estimate is normal about the exponent."""
    fit = fit_power_law(planted(count, alpha, seed=count), x_min=1.0)
    assert (fit.tail, fit.count, fit.zeros) == (count, count, 0)
    assert abs(fit.alpha - alpha) < 3 * (alpha - 1) / count**0.5
    assert fit.error == pytest.approx((fit.alpha - 1) / count**0.5)


def test_a_chosen_start_costs_accuracy_and_little_of_it_when_values_are_many():
    fit = fit_power_law(planted(100_000, 2.5, body=0.5))
    # A power law is one from any later start on as well, so the least distance may be there.
    assert 0.99 < fit.x_min < 10
    assert abs(fit.alpha - 2.5) < 3 * fit.error
    assert fit.warning is None


@pytest.mark.parametrize(("count", "least", "most"), [(27, 0.1, 0.9), (64, 0.0, 0.4), (512, -0.1, 0.1)])
def test_few_values_bias_the_exponent_upwards(count, least, most):
    """convsvd.prop.14 at small n: the mean of 300 fits to 27 values of exponent 3 is about 3.4, to 512 values 3.0."""
    fits = [fit_power_law(planted(count, 3.0, seed)) for seed in range(300)]
    bias = np.mean([fit.alpha for fit in fits]) - 3
    assert least < bias < most


def test_the_bias_with_a_known_start_is_the_one_of_the_estimator():
    """The estimate of alpha - 1 is n over a gamma variable: its mean is n / (n - 1) times the truth."""
    slopes = [fit_power_law(planted(27, 3.0, seed), x_min=1.0).alpha - 1 for seed in range(2000)]
    # Four standard errors of the mean: the estimate's deviation is 2 / sqrt(25).
    assert np.mean(slopes) == pytest.approx(2 * 27 / 26, abs=4 * 0.4 / 2000**0.5)


def test_a_random_matrix_gets_an_exponent_that_means_nothing():
    law = MarchenkoPastur(512, 4608, 1.0)
    fit = fit_power_law(planted_random(512, law, torch.Generator().manual_seed(0)))
    assert fit.alpha > 4


SAMPLES = {
    "power law": lambda g, n: (1 - g.random(n)) ** (-1 / 1.5),
    "steep": lambda g, n: (1 - g.random(n)) ** (-1 / 30),
    "gamma": lambda g, n: g.gamma(2, 1, n),
    "lognormal": lambda g, n: np.exp(3 * g.normal(size=n)),
    "ties": lambda g, n: np.round((1 - g.random(n)) ** (-1 / 1.5), 1),
    "pairs": lambda g, n: np.repeat(g.gamma(2, 1, n // 2), 2),
    "uniform": lambda g, n: g.random(n),
    "two scales": lambda g, n: np.concatenate([g.random(n // 2), 1e6 + g.random(n - n // 2)]),
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("count", [300, 3000])
def test_the_search_finds_what_measuring_every_candidate_finds(name, count):
    found = tails(np.sort(SAMPLES[name](np.random.default_rng(count), count)))
    distances = all_distances(found, len(found.logs) - 2)
    start = best_start(found, 3)
    assert (start.index, start.distance) == (distances.argmin(), distances.min())


@pytest.mark.parametrize("count", [300, 3000])
def test_the_search_measures_few_candidates(count):
    found = tails(np.sort(SAMPLES["gamma"](np.random.default_rng(0), count)))
    assert best_start(found, 3).measured <= (50 if count > 1000 else 300)


def test_equal_distances_go_to_the_longest_tail():
    """A geometric sequence looks the same from each of its values on, but for its end."""
    found = tails(2.0 ** np.arange(400))
    distances = all_distances(found, 398)
    assert best_start(found, 3).index == distances.argmin()


def test_distances_are_those_of_the_definition():
    values = np.sort(SAMPLES["ties"](np.random.default_rng(1), 60))
    found = tails(values)
    distances = all_distances(found, len(found.logs) - 2)
    for index, x_min in enumerate(np.unique(values)[:-2]):
        tail = values[values >= x_min]
        alpha = 1 + len(tail) / np.log(tail / x_min).sum()
        below = np.array([(tail < x).mean() for x in tail])
        expected = abs(below - (1 - (tail / x_min) ** (1 - alpha))).max()
        assert found.slopes[index] == pytest.approx(alpha - 1, rel=1e-10)
        # Differences of probabilities: errors are absolute.
        assert distances[index] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("factor", [1e-12, 3.7, 1e9])
def test_a_factor_leaves_the_exponent(factor):
    values = planted(700, 2.2, body=0.4)
    before, after = fit_power_law(values), fit_power_law(values * factor)
    assert after.alpha == pytest.approx(before.alpha, rel=1e-10)
    assert after.x_min == pytest.approx(before.x_min * factor, rel=1e-12)
    assert after.tail == before.tail


def test_a_power_of_the_values_divides_the_slope():
    """lambda = s^2: the exponent of eigenvalues follows from that of singular values."""
    values = planted(700, 2.2, body=0.4)
    slope = fit_power_law(values).alpha - 1
    assert fit_power_law(values.square()).alpha - 1 == pytest.approx(slope / 2, rel=1e-9)


def test_order_zeros_and_dtype_do_not_matter():
    values = planted(200, 2.5).float()
    shuffled = torch.cat([values, torch.zeros(7)])[torch.randperm(207, generator=torch.Generator().manual_seed(0))]
    first, second = fit_power_law(values), fit_power_law(shuffled)
    assert (first.alpha, first.x_min, first.count) == (second.alpha, second.x_min, second.count)
    assert (first.zeros, second.zeros) == (0, 7)


def test_every_value_twice_gives_the_same_start_and_exponent():
    """Real convolutions have the eigenvalues of opposite frequencies twice; that is no new information."""
    values = planted(500, 2.5, body=0.3)
    once, twice = fit_power_law(values), fit_power_law(values.repeat_interleave(2))
    assert twice.alpha == pytest.approx(once.alpha, rel=1e-12)
    assert (twice.x_min, twice.tail) == (once.x_min, 2 * once.tail)
    assert twice.error == pytest.approx(once.error / 2**0.5)


def test_a_smallest_tail_rules_out_short_ones():
    values = planted(200, 2.5, seed=5, body=0.9)
    assert fit_power_law(values, smallest_tail=100).tail >= 100


def test_a_given_start_need_be_no_value():
    values = planted(300, 2.5)
    fit = fit_power_law(values, x_min=0.99)
    assert fit.x_min == 0.99
    assert fit.alpha == pytest.approx(1 + 300 / (values / 0.99).log().sum().item(), rel=1e-12)


def test_the_density_is_that_of_the_tail():
    fit = fit_power_law(planted(300, 2.5), x_min=1.0)
    x = torch.logspace(0, 6, 200_001, dtype=torch.float64)
    total = torch.trapezoid(fit.density(x), x).item()
    assert total == pytest.approx(1, abs=1e-4)
    assert fit.density(torch.tensor([0.5])).item() == 0


def test_a_short_tail_is_warned_of():
    fit = fit_power_law(planted(27, 2.5))
    assert fit.warning.startswith(f"the tail holds {fit.tail} of 27 values; below 50")


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (torch.tensor([1.0, 2.0, 3.0, 4.0]), {}, "4 positive eigenvalues, 4 of them distinct"),
        (torch.ones(100), {}, "100 positive eigenvalues, 1 of them distinct"),
        (torch.tensor([]), {}, "0 positive eigenvalues"),
        (torch.zeros(5), {}, "0 positive eigenvalues"),
        (torch.arange(1.0, 30.0), {"smallest_tail": 40}, "needs at least 40"),
        (torch.arange(1.0, 30.0), {"x_min": 29.0}, "1 positive eigenvalues at or above 29"),
    ],
)
def test_short_spectra_are_refused(values, settings, message):
    with pytest.raises(ShortSpectrumError, match=message):
        fit_power_law(values, **settings)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_bad_values_are_refused(bad):
    values = planted(50, 2.5)
    values[7] = bad
    with pytest.raises(ValueError, match="1 of 50 eigenvalues are"):
        fit_power_law(values)


def test_planted_laws_refuse_what_is_no_law():
    with pytest.raises(ValueError, match="expected an exponent above 1"):
        planted(10, 1.0)
    with pytest.raises(ValueError, match="expected an exponent above 1"):
        planted(10, 2.0, body=1.0)
