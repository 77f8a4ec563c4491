"""Coefficients against the formulas, the composed layers and the properties of `svr`."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from paperlib.svr import ChainError, SpectralNeurons, adjacency, effective_filters, spectral_neurons

PAIRS = {
    "linear": (nn.Linear(6, 8, bias=False), nn.Linear(8, 5, bias=False)),
    "conv": (nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(8, 5, 3, bias=False)),
    "other kernels": (nn.Conv2d(3, 8, 5, bias=False), nn.Conv2d(8, 5, (1, 3), bias=False)),
    "square": (nn.Linear(8, 8, bias=False), nn.Linear(8, 5, bias=False)),
}


def pair(name, side="svr"):
    earlier, later = (spectral_neurons(layer.double(), side) for layer in PAIRS[name])
    return later, earlier


@pytest.mark.parametrize("side", ["svr", "co_svr"])
@pytest.mark.parametrize("name", PAIRS)
def test_coefficients_are_those_of_the_formula_one_by_one(name, side):
    later, earlier = pair(name, side)
    found = adjacency(later, earlier)
    for n in range(len(later)):
        for m in range(len(earlier)):
            expected = (earlier.U[:, :, m].T @ later.V[:, :, n]).square().sum()
            assert found.coefficients[n, m].item() == pytest.approx(expected.item(), abs=1e-14)
    kernel = later.V.shape[1] if side == "svr" else earlier.U.shape[1]
    assert (found.channels, found.degrees) == (8, kernel)


@pytest.mark.parametrize("side", ["svr", "co_svr"])
@pytest.mark.parametrize("name", PAIRS)
def test_coefficients_lie_between_0_and_1_and_so_do_their_sums(name, side):
    found = adjacency(*pair(name, side)).coefficients
    assert found.min() >= 0 and found.max() <= 1 + 1e-12
    # The side whose representations have no kernel is orthonormal over the channels.
    rows = found.sum(1 if side == "svr" else 0)
    assert rows.max() <= 1 + 1e-12


def test_rows_sum_to_1_where_the_earlier_layer_writes_all_channels():
    found = adjacency(*pair("square")).coefficients
    torch.testing.assert_close(found.sum(1), torch.ones(5, dtype=torch.float64), rtol=0, atol=1e-12)


def test_product_of_two_layers_holds_the_inner_products():
    """svr.prop.11: A_2 A_1 = U_2 S_2 (V_2^T U_1) S_1 V_1^T."""
    later, earlier = pair("linear")
    inner = later.V[:, 0].T @ earlier.U[:, 0]
    found = (later.U[:, 0] * later.S) @ inner @ (earlier.S.unsqueeze(1) * earlier.V[:, 0].T)
    first, second = (layer.weight.detach() for layer in PAIRS["linear"])
    torch.testing.assert_close(found, second @ first, rtol=0, atol=1e-12)
    torch.testing.assert_close(adjacency(later, earlier).coefficients, inner.square(), rtol=0, atol=1e-14)


def test_effective_filters_compose_spectral_images():
    """svr.prop.10, and the propagation of one spectral activation through the pair without activation."""
    later, earlier = pair("conv")
    x = torch.randn(1, 3, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def images(neurons, y):
        return F.conv2d(y, neurons.V.permute(2, 0, 1).unflatten(2, (3, 3)))

    first = images(earlier, x) * earlier.S.view(1, -1, 1, 1)
    expected = images(later, torch.einsum("cm,bmhw->bchw", earlier.U[:, 0], first))
    filters = effective_filters(later, earlier)
    torch.testing.assert_close(F.conv2d(first, filters.unflatten(2, (3, 3))), expected, rtol=0, atol=1e-12)
    norms = filters.square().sum(2)
    torch.testing.assert_close(norms, adjacency(later, earlier).coefficients, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["linear", "conv"])
def test_positive_scaling_changes_nothing(name):
    expected = adjacency(*pair(name)).coefficients
    scaled = [copy.deepcopy(layer) for layer in PAIRS[name]]
    with torch.no_grad():
        for layer, factor in zip(scaled, (3.7, 0.02), strict=True):
            layer.weight.mul_(factor)
    earlier, later = (spectral_neurons(layer) for layer in scaled)
    torch.testing.assert_close(adjacency(later, earlier).coefficients, expected, rtol=0, atol=1e-10)


def test_permuting_hidden_units_changes_nothing():
    first, second = (layer.weight.detach() for layer in PAIRS["linear"])
    order = torch.randperm(8, generator=torch.Generator().manual_seed(3))
    permuted = nn.Linear(6, 8, bias=False).double(), nn.Linear(8, 5, bias=False).double()
    with torch.no_grad():
        permuted[0].weight.copy_(first[order])
        permuted[1].weight.copy_(second[:, order])
    found = adjacency(*(spectral_neurons(layer) for layer in reversed(permuted))).coefficients
    torch.testing.assert_close(found, adjacency(*pair("linear")).coefficients, rtol=0, atol=1e-10)


def test_a_dense_layer_behind_a_flattened_map_reads_channels_at_places():
    conv, dense = nn.Conv2d(2, 6, 3, bias=False).double(), nn.Linear(6 * 4, 5, bias=False).double()
    as_convolution = nn.Conv2d(6, 5, 2, bias=False).double()
    with torch.no_grad():
        as_convolution.weight.copy_(dense.weight.unflatten(1, (6, 2, 2)))
    found = adjacency(spectral_neurons(dense), spectral_neurons(conv))
    expected = adjacency(spectral_neurons(as_convolution), spectral_neurons(conv))
    torch.testing.assert_close(found.coefficients, expected.coefficients, rtol=0, atol=1e-12)
    assert (found.channels, found.degrees) == (6, 4)
    # In the co-SVR the convolution's kernel and the places count both: 36 squares, which depend on each other.
    assert adjacency(spectral_neurons(dense, "co_svr"), spectral_neurons(conv, "co_svr")).degrees == 30


def test_svr_to_co_svr_of_two_convolutions():
    earlier, later = (layer.double() for layer in PAIRS["conv"])
    found = adjacency(spectral_neurons(later, "co_svr"), spectral_neurons(earlier, "svr"))
    assert found.coefficients.shape == (8, 8) and found.degrees == 1
    # Both sides are complete orthonormal bases of the channels.
    for axis in (0, 1):
        torch.testing.assert_close(found.coefficients.sum(axis), torch.ones(8, dtype=torch.float64), rtol=0, atol=1e-12)


def test_a_wide_pair_is_multiplied_in_blocks():
    generator = torch.Generator().manual_seed(4)
    U, V = (torch.randn(shape, dtype=torch.float64, generator=generator) for shape in ((16, 1, 512), (16, 49, 200)))
    later = SpectralNeurons(V, V[0, 0], V, "svr")
    found = adjacency(later, SpectralNeurons(U, U[0, 0], U, "svr")).coefficients
    expected = torch.einsum("czn,cm->nmz", V, U[:, 0]).square().sum(2)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_signs_change_nothing_and_equal_values_only_the_sums_over_them():
    """svr.prop.12: inside a degenerate singular value any basis will do; the sum over its rows or columns stays."""
    generator = torch.Generator().manual_seed(9)
    U, V, turn = (torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator)).Q for n in (8, 8, 3))
    values = torch.tensor([3.0, 2, 2, 2, 1, 0.5, 0.4, 0.3], dtype=torch.float64)
    later = spectral_neurons(nn.Linear(8, 5, bias=False).double())
    layer = nn.Linear(8, 8, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(U * values @ V.T)
    expected = adjacency(later, spectral_neurons(layer)).coefficients
    flipped = SpectralNeurons(-U.unsqueeze(1), values, -V.unsqueeze(1), "svr")
    turned = U.clone()
    turned[:, 1:4] = U[:, 1:4] @ turn
    for neurons in (flipped, SpectralNeurons(turned.unsqueeze(1), values, V.unsqueeze(1), "svr")):
        found = adjacency(later, neurons).coefficients
        assert torch.allclose(found[:, 1:4].sum(1), expected[:, 1:4].sum(1), rtol=0, atol=1e-10)
        others = [0, 4, 5, 6, 7]
        torch.testing.assert_close(found[:, others], expected[:, others], rtol=0, atol=1e-10)
    assert (found[:, 1:4] - expected[:, 1:4]).abs().max() > 0.01


@pytest.mark.parametrize("later", [nn.Linear(9, 3), nn.Conv2d(16, 3, 3)], ids=["no multiple", "convolution"])
def test_layers_that_do_not_chain_are_refused(later):
    with pytest.raises(ChainError, match=r"with (9|16) input channels cannot follow one with 8 output channels"):
        adjacency(spectral_neurons(later), spectral_neurons(nn.Linear(4, 8)))
