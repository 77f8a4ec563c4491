"""Zero padding against the dense operator matrix, and beside a circular boundary."""

import pytest
import torch
from torch import Tensor, nn

from paperlib.spectra import (
    boundary_difference,
    circular_singular_values,
    largest_singular_values,
    zero_padding_estimate,
)
from paperlib.unfolding import UnfoldingError, convolution_matrices


def made(**words) -> nn.Conv2d:
    layer = nn.Conv2d(**{"in_channels": 4, "out_channels": 5, "kernel_size": 3, "padding": 1} | words)
    layer.weight.data.copy_(torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(0)))
    return layer


def dense(layer: nn.Module, size: tuple[int, ...], boundary: str = "zero") -> Tensor:
    return torch.linalg.svdvals(convolution_matrices(layer).operator_matrix(size, boundary).double())


LAYERS = {
    "plain": {},
    "stride": {"stride": 2},
    "dilation": {"dilation": 2, "padding": 2},
    "groups": {"in_channels": 4, "out_channels": 6, "groups": 2},
    "no padding": {"padding": 0},
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("boundary", ["zero", "valid", "circular"])
def test_largest_values_are_those_of_the_dense_matrix(name, boundary):
    layer = made(**LAYERS[name])
    found = largest_singular_values(layer, (8, 6), 3, boundary=boundary)
    torch.testing.assert_close(found, dense(layer, (8, 6), boundary)[:3], rtol=1e-12, atol=0)


def test_largest_values_of_a_matrix_too_large_to_form():
    """Against the circular boundary's values by frequencies, which no iterative solver has a part in."""
    layer = made(in_channels=8, out_channels=8)
    expected = circular_singular_values(layer, (24, 24), tolerance=1e-12)
    found = largest_singular_values(layer, (24, 24), 1, boundary="circular")
    torch.testing.assert_close(found[0], expected[0], rtol=1e-10, atol=0)


@pytest.mark.parametrize("name", LAYERS)
def test_estimate_of_the_whole_spectrum(name):
    layer, size = made(**LAYERS[name]), (14, 12)
    values = dense(layer, size)
    found = zero_padding_estimate(layer, size, steps=80, probes=16)
    assert found.count == len(values)
    places = torch.linspace(0, float(values[0]), 60, dtype=torch.float64)
    cumulative, error = found.cumulative(places)
    exact = (values.unsqueeze(1) <= places).double().mean(0)
    # Some hundred singular values: 0.5 / sqrt(16 * 200) = 0.009 from the probes, times four.
    assert (cumulative - exact).abs().max() < 0.04
    assert error.max() < 0.03


def test_difference_is_that_of_the_dense_spectra():
    layer, size = made(), (12, 10)
    zero, circular = dense(layer, size), dense(layer, size, "circular")
    both = torch.cat([zero, circular])
    shares = [(values.unsqueeze(1) <= both).double().mean(0) for values in (zero, circular)]
    found = boundary_difference(layer, size)
    assert found.distance == pytest.approx(float((shares[0] - shares[1]).abs().max()), abs=0.03)
    assert 0 < found.error < 0.02
    assert found.top_ratio == pytest.approx(float(zero[0] / circular[0]), rel=1e-8)
    # Zero padding is a circular convolution on a larger input, cut: its norm is no larger than that one's supremum.
    assert found.top_ratio < 1.01


def test_boundaries_matter_less_for_larger_maps():
    layer = made()
    small, large = (boundary_difference(layer, size) for size in ((6, 6), (28, 28)))
    assert large.distance < 0.6 * small.distance
    assert abs(large.top_ratio - 1) < abs(small.top_ratio - 1)


def test_what_is_known_is_not_computed_again():
    layer, size = made(), (8, 8)
    circular, estimate = circular_singular_values(layer, size), zero_padding_estimate(layer, size, seed=3)
    found = boundary_difference(layer, size, circular=circular, estimate=estimate)
    assert found == boundary_difference(layer, size, seed=3)
    assert boundary_difference(layer, size, circular=2 * circular, estimate=estimate).distance > 0.3


def test_errors_name_what_is_wrong():
    with pytest.raises(UnfoldingError, match="has 1 axes"):
        largest_singular_values(made(), (8,))
    with pytest.raises(UnfoldingError, match="ReLU is no convolution"):
        zero_padding_estimate(nn.ReLU(), (8, 8))
