"""Spectral neurons of every kind of layer against the weights, a dense SVD and the layer itself."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from paperlib.subspaces import LayerError
from paperlib.svr import compose, neurons_of_weights, spectral_neurons

LAYERS = {
    "linear": nn.Linear(7, 5, bias=False),
    "wide": nn.Linear(3, 9),
    "conv": nn.Conv2d(4, 6, 3),
    "flat": nn.Conv2d(4, 6, (1, 3)),
    "1d": nn.Conv1d(3, 5, 4),
    "3d": nn.Conv3d(2, 3, (2, 1, 3)),
    "grouped": nn.Conv2d(4, 6, 3, groups=2),
    "depthwise": nn.Conv2d(4, 8, 3, groups=4),
}


def weights(layer: nn.Module) -> torch.Tensor:
    """Weights as a full layer has them, by what the layer does to impulses: channels that a group misses give 0."""
    if isinstance(layer, nn.Linear):
        return layer.weight.detach().double().unsqueeze(2)
    kernel = layer.kernel_size
    full = torch.zeros(layer.out_channels, layer.in_channels, *kernel, dtype=torch.float64)
    for index in np.ndindex(layer.in_channels, *kernel):
        impulse = torch.zeros(1, layer.in_channels, *kernel)
        impulse[(0, *index)] = 1
        functions = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
        full[(slice(None), *index)] = (
            functions[len(kernel)](impulse, layer.weight, groups=layer.groups).flatten().double()
        )
    return full.detach()


@pytest.mark.parametrize("side", ["svr", "co_svr"])
@pytest.mark.parametrize("name", LAYERS)
def test_neurons_give_the_layer_back(name, side):
    layer = LAYERS[name]
    neurons, expected = spectral_neurons(layer, side), weights(layer)
    found = compose(neurons, expected.shape[2:])
    # The weights are float32 and the sum is in float64: only the rank cut, at float32 rounding, is lost.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("side", ["svr", "co_svr"])
@pytest.mark.parametrize("name", LAYERS)
def test_values_are_those_of_a_dense_svd_and_representations_orthonormal(name, side):
    expected = weights(LAYERS[name]).flatten(2)
    matrix = expected.flatten(1) if side == "svr" else expected.permute(0, 2, 1).flatten(0, 1)
    neurons = spectral_neurons(LAYERS[name], side)
    values = np.linalg.svd(matrix.numpy(), compute_uv=False)[: len(neurons)]
    np.testing.assert_allclose(neurons.S.numpy(), values, rtol=1e-6)
    for part in (neurons.U, neurons.V):
        gram = part.flatten(0, 1).mT @ part.flatten(0, 1)
        torch.testing.assert_close(gram, torch.eye(len(neurons), dtype=torch.float64), rtol=0, atol=1e-12)
    assert (neurons.S.diff() <= 0).all() and (neurons.S > 0).all()
    assert (neurons.U.shape[1] == 1) if side == "svr" else (neurons.V.shape[1] == 1)


def test_spectral_images_add_up_to_the_layer():
    layer = nn.Conv2d(4, 6, 3, bias=False).double()
    x = torch.randn(2, 4, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    neurons = spectral_neurons(layer)
    filters = neurons.V.permute(2, 0, 1).unflatten(2, (3, 3))
    images = F.conv2d(x, filters) * neurons.S.view(1, -1, 1, 1)
    found = torch.einsum("om,bmhw->bohw", neurons.U[:, 0], images)
    torch.testing.assert_close(found, layer(x).detach(), rtol=0, atol=1e-12)


def test_co_svr_is_the_svr_that_the_gradient_sees():
    """svr.claim.29: same singular values as the SVR of the transposed weights."""
    layer = nn.Conv2d(4, 6, 3)
    transposed = nn.Conv2d(6, 4, 3)
    with torch.no_grad():
        transposed.weight.copy_(layer.weight.transpose(0, 1))
    torch.testing.assert_close(
        spectral_neurons(layer, "co_svr").S, spectral_neurons(transposed, "svr").S, rtol=1e-12, atol=0
    )


def test_representations_are_the_factors_of_the_higher_order_svd():
    """svr.prop.16: output factor of the Tucker decomposition and U of the SVR, input factor and V of the co-SVR."""
    torch.manual_seed(2)
    layer = nn.Conv2d(4, 6, 3).double()
    weight = layer.weight.detach()
    for product, neurons, part in (
        ("oihw,pihw->op", spectral_neurons(layer), "U"),
        ("oihw,ojhw->ij", spectral_neurons(layer, "co_svr"), "V"),
    ):
        values, factor = torch.linalg.eigh(torch.einsum(product, weight, weight))
        found = getattr(neurons, part)[:, 0]
        torch.testing.assert_close(neurons.S.square(), values.flip(0), rtol=1e-10, atol=0)
        torch.testing.assert_close(
            (found.mT @ factor.flip(1)).abs(), torch.eye(len(found), dtype=torch.float64), rtol=0, atol=1e-10
        )


def test_groups_are_decomposed_one_by_one():
    torch.manual_seed(3)
    layer = nn.Conv2d(4, 6, 3, groups=2)
    neurons = spectral_neurons(layer, count=5)
    in_first = (neurons.U[:3].abs().amax((0, 1)) > 0).tolist()
    assert (neurons.groups, len(neurons)) == (2, 5)
    for part, size in ((neurons.U, 3), (neurons.V, 2)):
        groups = (part.square().sum(1) > 0).unflatten(0, (2, size)).any(1)
        # Each neuron lies in one group, and the two parts in the same.
        assert groups.sum(0).tolist() == [1] * 5
        assert groups[0].tolist() == in_first


def test_weights_alone_are_decomposed_as_their_layer_is():
    layer = nn.Conv2d(4, 6, 3, groups=2)
    found, expected = neurons_of_weights(layer.weight.detach(), groups=2), spectral_neurons(layer)
    assert torch.equal(found.S, expected.S) and torch.equal(found.V, expected.V)
    with pytest.raises(ValueError, match="6 output channels cannot be shared out to 4 groups"):
        neurons_of_weights(layer.weight.detach(), groups=4)
    for wrong in (torch.ones(3), torch.ones(3, 0), torch.ones(2, 3, dtype=torch.int64), torch.ones(1, 1, 1, 1, 1, 1)):
        with pytest.raises(ValueError, match="expected floating-point numbers"):
            neurons_of_weights(wrong)


def test_planted_rank_and_count():
    layer = nn.Linear(8, 8, bias=False).double()
    basis = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))).Q
    values = torch.tensor([5.0, 3.0, 1.0, 0, 0, 0, 0, 0], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(basis * values @ basis.T)
    torch.testing.assert_close(spectral_neurons(layer).S, values[:3], rtol=1e-12, atol=0)
    assert len(spectral_neurons(layer, count=2)) == 2 and len(spectral_neurons(layer, count=9)) == 3
    assert len(spectral_neurons(layer, tolerance=0.5)) == 2
    with torch.no_grad():
        layer.weight.zero_()
    assert len(spectral_neurons(layer)) == 0


@pytest.mark.parametrize(
    "layer", [nn.Embedding(3, 4), nn.ReLU(), nn.ConvTranspose2d(2, 3, 3)], ids=lambda m: type(m).__name__
)
def test_layers_without_spectral_neurons_are_named(layer):
    with pytest.raises(LayerError, match=f"{type(layer).__name__} has no spectral neurons; supported are Linear"):
        spectral_neurons(layer)


def test_weights_that_are_not_finite_and_settings_out_of_range_are_refused():
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight[0, 0], layer.weight[1, 2] = float("nan"), float("inf")
    with pytest.raises(ValueError, match="2 of the 6 weights are NaN or infinite"):
        spectral_neurons(layer)
    with pytest.raises(ValueError, match="side is 'both'; expected svr or co_svr"):
        spectral_neurons(nn.Linear(3, 2), "both")
    with pytest.raises(ValueError, match="count is 0; expected at least one"):
        spectral_neurons(nn.Linear(3, 2), count=0)
    with pytest.raises(ValueError, match="has 4 entries, the neurons 9"):
        compose(spectral_neurons(nn.Conv2d(2, 3, 3)), (2, 2))
