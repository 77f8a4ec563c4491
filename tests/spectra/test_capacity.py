"""The capacity metric: matrices of every kind of layer against dense ones, conventions by name, shuffled weights."""

from itertools import product
from math import log, log10

import pytest
import torch
from torch import nn

from paperlib.models import small_cnn
from paperlib.spectra.capacity import CONVENTIONS, alpha_hat, capacity, convention, convention_name
from paperlib.spectra.esd import empirical_spectral_distribution
from paperlib.spectra.matrizations import MATRIZATIONS, layer_spectra, layer_spectrum, spatial_sizes
from paperlib.spectra.shuffled import shuffled
from paperlib.unfolding import output_unfolding

LAYERS = {
    "conv1d": (nn.Conv1d(4, 6, 5), (16,)),
    "conv2d": (nn.Conv2d(4, 6, 3), (8, 8)),
    "oblong": (nn.Conv2d(4, 6, (3, 5)), (8, 10)),
    "pointwise": (nn.Conv2d(7, 5, 1), (6, 6)),
    "groups": (nn.Conv2d(4, 6, 3, groups=2), (8, 8)),
    "depthwise": (nn.Conv2d(5, 10, 3, groups=5), (8, 8)),
    "stride": (nn.Conv2d(4, 6, 3, stride=2), (8, 8)),
    "conv3d": (nn.Conv3d(3, 4, 3), (4, 4, 4)),
}

CHOICES = list(product(("mean", "sum"), ("natural", "decimal"), (True, False)))


def squared(matrix):
    return torch.linalg.svdvals(matrix.detach().double()).square()


def all_equal(found, expected):
    """The non-zero eigenvalues and the zeros together are those of dense matrices, in float64 from float32 weights."""
    values = torch.cat([found.eigenvalues, torch.zeros(found.zeros, dtype=torch.float64)])
    expected = expected.sort(descending=True).values
    torch.testing.assert_close(values, expected, rtol=1e-9, atol=1e-11 * expected[0].item())


@pytest.mark.parametrize("name", LAYERS)
def test_w1_is_the_output_unfolding(name):
    layer, _ = LAYERS[name]
    matrix = output_unfolding(layer.weight, layer.groups)
    found = layer_spectrum(layer, "W1")
    all_equal(found, squared(matrix))
    assert found.rows == len(matrix) == layer.out_channels


@pytest.mark.parametrize("name", LAYERS)
def test_slices_are_one_matrix_for_each_place(name):
    layer, _ = LAYERS[name]
    places = layer.weight.flatten(2)
    matrices = [output_unfolding(places[..., [k]], layer.groups) for k in range(places.shape[2])]
    found = layer_spectrum(layer, "slices")
    all_equal(found, torch.cat([squared(matrix) for matrix in matrices]))
    assert found.rows == layer.out_channels
    assert matrices[0].shape == (layer.out_channels, layer.in_channels)


@pytest.mark.parametrize("name", LAYERS)
def test_kernels_are_matrices_of_their_own(name):
    layer, _ = LAYERS[name]
    kernels = [kernel.reshape(len(kernel), -1) for filter_ in layer.weight for kernel in filter_]
    found = layer_spectrum(layer, "kernels")
    all_equal(found, torch.cat([squared(kernel) for kernel in kernels]))
    assert found.rows == layer.kernel_size[0]


@pytest.mark.parametrize("name", LAYERS)
def test_w2_is_the_matrix_of_the_whole_map(name):
    """Circular padding by hand, then autograd's Jacobian: no Fourier transform."""
    layer, size = LAYERS[name]
    circular = type(layer)(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        stride=layer.stride,
        padding=tuple(side // 2 for side in layer.kernel_size),
        padding_mode="circular",
        groups=layer.groups,
        bias=False,
    ).double()
    circular.weight = nn.Parameter(layer.weight.detach().double())
    zero = torch.zeros(1, layer.in_channels, *size, dtype=torch.float64)
    matrix = torch.autograd.functional.jacobian(circular, zero).reshape(circular(zero).numel(), zero.numel())
    found = layer_spectrum(layer, "W2", input_size=size)
    # The circular singular values err by up to 1e-6 of the largest.
    values = torch.cat([found.eigenvalues, torch.zeros(found.zeros, dtype=torch.float64)]).sqrt()
    expected = torch.linalg.svdvals(matrix)
    torch.testing.assert_close(values, expected, rtol=0, atol=2e-6 * expected[0].item())
    assert found.rows == len(matrix)


@pytest.mark.parametrize("matrization", MATRIZATIONS)
def test_a_fully_connected_layer_has_one_matrix(matrization):
    layer = nn.Linear(9, 12)
    found = layer_spectrum(layer, matrization)
    all_equal(found, squared(layer.weight))
    assert found.rows == 12


def test_sizes_follow_poolings_and_strides():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.Flatten())
    model.train()
    assert spatial_sizes(model, torch.zeros(1, 3, 32, 24)) == {"0": (32, 24), "2": (8, 6)}
    assert model.training


def exponents(model, matrization="W1"):
    return capacity(layer_spectra(model, matrization))


@pytest.mark.parametrize(("aggregate", "base", "scaled"), CHOICES)
def test_conventions_by_hand(aggregate, base, scaled):
    """Equation 12 with its three open choices, from singular values and exponents."""
    model = small_cnn("plain", 1, 16)
    found = exponents(model)
    terms = []
    for layer in found.layers:
        weight = model.get_submodule(layer.path).weight.flatten(1)
        largest = squared(weight)[0].item() / (len(weight) if scaled else 1)
        terms.append(layer.fit.alpha * (log(largest) if base == "natural" else log10(largest)))
    expected = sum(terms) / (len(terms) if aggregate == "mean" else 1)
    name = convention_name(aggregate, base, scaled)
    assert found.alpha_hat(name) == pytest.approx(expected, rel=1e-9)
    assert alpha_hat(model, name) == pytest.approx(expected, rel=1e-9)
    chosen = convention(name)
    assert (chosen.name, chosen.aggregate, chosen.base, chosen.scaled) == (name, aggregate, base, scaled)


def test_there_are_eight_conventions():
    assert len(CONVENTIONS) == 8
    assert all(name == one.name for name, one in CONVENTIONS.items())
    assert "DeepDataProfiler" in CONVENTIONS["mean_natural_scaled"].source


def test_scaling_can_turn_a_ranking():
    """Two layers of equal exponent: the wide one has the larger eigenvalue, the narrow one the larger for its rows."""
    law = torch.linspace(1, 3, 60, dtype=torch.float64).exp()
    narrow, wide = (empirical_spectral_distribution((c * law).sqrt(), (rows, 1000)) for c, rows in ((1, 60), (2, 600)))
    first, second = capacity({"": narrow}), capacity({"": wide})
    assert first.mean_alpha == pytest.approx(second.mean_alpha, rel=1e-9)
    assert first.alpha_hat("mean_natural_unscaled") < second.alpha_hat("mean_natural_unscaled")
    assert first.alpha_hat("mean_natural_scaled") > second.alpha_hat("mean_natural_scaled")


def test_layers_of_few_eigenvalues_are_left_out_by_name():
    model = small_cnn("plain", 1, 8)
    found = capacity(layer_spectra(model, "W1"), fewest=9)
    assert found.left_out == {
        "stem.conv": "8 eigenvalues, fewer than 9",
        "block1_1.conv": "8 eigenvalues, fewer than 9",
    }
    assert [layer.path for layer in found.layers] == ["block2_1.conv", "block3_1.conv", "linear"]


def test_a_layer_of_equal_values_is_left_out():
    spectra = layer_spectra(nn.Sequential(nn.Linear(40, 30)), "W1")
    spectra["flat"] = empirical_spectral_distribution(torch.ones(30), (30, 30))
    found = capacity(spectra)
    assert "1 of them distinct" in found.left_out["flat"]
    assert found.mean_alpha == found.layers[0].fit.alpha


def test_fully_connected_layers_can_be_left_to_themselves():
    model = small_cnn("plain", 1, 16)
    both, convolutions = layer_spectra(model, "W1"), layer_spectra(model, "W1", dense=False)
    assert set(both) - set(convolutions) == {"linear"}


def test_w2_through_the_whole_network():
    model, example = small_cnn("residual", 1, 8), torch.zeros(1, 3, 16, 16)
    spectra = layer_spectra(model, "W2", input_sizes=spatial_sizes(model, example))
    assert len(spectra["stem.conv"].eigenvalues) + spectra["stem.conv"].zeros == 3 * 16 * 16
    expected = capacity(spectra).alpha_hat("sum_decimal_unscaled")
    assert alpha_hat(model, "sum_decimal_unscaled", "W2", example=example) == pytest.approx(expected, rel=1e-12)


def test_shuffling_keeps_the_values_and_loses_the_structure():
    model = nn.Sequential(nn.Conv2d(8, 32, 3), nn.Linear(20, 20))
    with torch.no_grad():
        model[0].weight += 3 * torch.randn(32, 1, 1, 1)
    before = model[0].weight.clone()
    control = shuffled(model, 4)
    assert torch.equal(model[0].weight, before)
    assert torch.equal(control[0].weight.flatten().sort().values, before.flatten().sort().values)
    assert torch.equal(control[0].weight, shuffled(model, 4)[0].weight)
    assert not torch.equal(control[0].weight, shuffled(model, 5)[0].weight)
    strong, weak = (layer_spectrum(one[0], "W1") for one in (model, control))
    assert weak.eigenvalues.sum().item() == pytest.approx(strong.eigenvalues.sum().item(), rel=1e-6)
    assert weak.largest < 0.7 * strong.largest


def nan_layer():
    layer = nn.Linear(4, 4)
    with torch.no_grad():
        layer.weight[0, 0] = float("nan")
    return layer


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layer_spectrum(nn.Linear(3, 3), "W3"), "matrization is 'W3'; expected one of W1, W2, slices, kernels"),
        (lambda: layer_spectrum(nn.ReLU(), "W1"), "ReLU has no matrization"),
        (lambda: layer_spectrum(nn.Conv2d(3, 3, 3), "W2", input_size=(8,)), "needs 2 axes"),
        (lambda: layer_spectra(nn.Sequential(nn.Conv2d(3, 3, 3)), "W2"), "give input_sizes"),
        (lambda: layer_spectra(nn.Sequential(nan_layer()), "W1"), "layer '0': 1 of 16 weights are not finite"),
        (lambda: alpha_hat(nn.Linear(9, 9), "mean"), "unknown convention 'mean'; known: mean_natural_scaled"),
        (lambda: alpha_hat(nn.ReLU(), "mean_natural_scaled"), "no layer has a spectrum to fit"),
        (lambda: alpha_hat(nn.Linear(3, 3), "mean_natural_scaled"), "3 eigenvalues, fewer than 8"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_scaled_spectra_are_refused():
    """The convention scales; scaling twice would go unnoticed."""
    spectrum = empirical_spectral_distribution(torch.rand(30) + 1, (30, 40), scaled=True)
    with pytest.raises(ValueError, match="the spectrum of 'x' is scaled"):
        capacity({"x": spectrum})
