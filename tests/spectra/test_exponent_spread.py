"""The spread of an exponent that is fitted above a known start, and the capacity metric's identities."""

import math

import pytest
import torch

from paperlib.spectra import CONVENTIONS, Capacity, LayerExponent, PowerLaw, fit_power_law, planted_power_law


@pytest.mark.parametrize(("count", "alpha"), [(8, 2.0), (27, 3.0)])
def test_mean_and_deviation_with_a_known_start(count, alpha):
    """n over a gamma variable of shape n: mean n/(n-1), deviation n/((n-1) sqrt(n-2)), in units of alpha - 1."""
    generator = torch.Generator().manual_seed(0)
    draws = 4000
    slopes = torch.tensor(
        [fit_power_law(planted_power_law(count, alpha, generator), x_min=1.0).alpha - 1 for _ in range(draws)],
        dtype=torch.float64,
    )
    mean = count / (count - 1) * (alpha - 1)
    deviation = mean / (count - 2) ** 0.5
    assert slopes.mean().item() == pytest.approx(mean, abs=4 * deviation / draws**0.5)
    assert slopes.std().item() == pytest.approx(deviation, rel=0.15)


def capacity_of(layers):
    exponents = (
        LayerExponent(str(number), PowerLaw(alpha, 1.0, 0.0, 100, 100, 0), largest, rows)
        for number, (alpha, largest, rows) in enumerate(layers)
    )
    return Capacity(tuple(exponents), {})


def test_which_of_the_three_choices_matter():
    layers = [(2.0, 6.0, 64), (3.5, 20.0, 128), (5.0, 3.0, 10)]
    found = {name: capacity_of(layers).alpha_hat(name) for name in CONVENTIONS}
    for base in ("natural", "decimal"):
        for scale in ("scaled", "unscaled"):
            mean, total = (found[f"{kind}_{base}_{scale}"] for kind in ("mean", "sum"))
            assert total == pytest.approx(len(layers) * mean, rel=1e-12)
            other = found[f"mean_natural_{scale}"]
            assert found[f"mean_decimal_{scale}"] == pytest.approx(other / math.log(10), rel=1e-12)
    shift = sum(alpha * math.log(rows) for alpha, _, rows in layers) / len(layers)
    assert found["mean_natural_scaled"] == pytest.approx(found["mean_natural_unscaled"] - shift, rel=1e-12)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_larger_exponent_goes_up_unscaled_and_down_scaled(name):
    """Where the largest eigenvalue is between 1 and the number of rows."""
    less, more = (capacity_of([(alpha, 6.0, 64), (2.0, 9.0, 32)]).alpha_hat(name) for alpha in (2.0, 3.0))
    assert (more < less) if CONVENTIONS[name].scaled else (more > less)
