"""Representations of whole networks: graphs, sides, invariances, and what is refused."""

import networkx
import pytest
import torch
from representation_support import IMAGES, coefficients, convolutional, same
from torch import nn

from paperlib.layers import ConcatenatedSkip, ResidualSkip
from paperlib.models import fully_connected, resnet18
from paperlib.subspaces import LayerError
from paperlib.svr import (
    ChainError,
    GraphError,
    adjacency,
    representation,
    representation_of_weights,
    spectral_neurons,
)


def test_layers_and_connections_of_a_chain():
    model = convolutional()
    found = representation(model, IMAGES)
    assert [layer.path for layer in found.layers] == ["0", "3", "6", "8"]
    assert [layer.kind for layer in found.layers] == ["convolution"] * 2 + ["fully_connected"] * 2
    assert found.layers[1].weight_shape == (8, 6, 3, 3) and {layer.side for layer in found.layers} == {"svr"}
    assert [(one.earlier, one.later) for one in found.connections] == [(0, 1), (1, 2), (2, 3)]
    assert [(one.adjacency.channels, one.adjacency.degrees) for one in found.connections] == [(6, 9), (8, 4), (12, 1)]
    for index, connection in enumerate(found.connections):
        earlier, later = (
            spectral_neurons(model.get_submodule(found.layers[i].path)) for i in (connection.earlier, connection.later)
        )
        assert torch.equal(found.layers[index].singular_values, earlier.S)
        expected = adjacency(later, earlier).coefficients
        torch.testing.assert_close(connection.adjacency.coefficients, expected, rtol=0, atol=1e-14)


def test_the_papers_network_has_its_vertices():
    """svr.claim.09: 40, 40, 40 and 10 spectral neurons."""
    model = fully_connected((784, 40, 40, 40, 10), "relu")
    found = representation(model, torch.zeros(1, 1, 28, 28))
    assert [len(layer.singular_values) for layer in found.layers] == [40, 40, 40, 10]


def test_the_co_svr_is_the_svr_of_the_network_that_the_gradient_sees():
    """svr.claim.29: the transposed layers in reverse order."""
    model = convolutional()[:4]
    found = representation(model, IMAGES, kind="co_svr")
    transposed = [layer.weight.detach().transpose(0, 1) for layer in (model[3], model[0])]
    expected = representation_of_weights(transposed)
    torch.testing.assert_close(coefficients(found)[0], coefficients(expected)[0].T, rtol=0, atol=1e-12)
    for layer, other in zip(found.layers, reversed(expected.layers), strict=True):
        torch.testing.assert_close(layer.singular_values, other.singular_values, rtol=1e-12, atol=0)


def test_mixed_layers_stand_twice_where_they_read_and_write():
    model = convolutional()
    found = representation(model, IMAGES, kind="mixed")
    assert [(layer.path, layer.side) for layer in found.layers] == [
        ("0", "svr"), ("3", "co_svr"), ("3", "svr"), ("6", "co_svr"), ("6", "svr"), ("8", "co_svr")
    ]  # fmt: skip
    assert [(one.earlier, one.later) for one in found.connections] == [(0, 1), (2, 3), (4, 5)]
    assert [one.adjacency.degrees for one in found.connections] == [1, 4, 1]
    expected = adjacency(spectral_neurons(model[3], "co_svr"), spectral_neurons(model[0])).coefficients
    torch.testing.assert_close(coefficients(found)[0], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("conv", "shape"), [(nn.Conv1d, (12,)), (nn.Conv3d, (5, 6, 7))])
def test_other_numbers_of_axes(conv, shape):
    torch.manual_seed(3)
    kernel = (2, 1, 3)[: len(shape)]
    model = nn.Sequential(conv(2, 5, kernel), nn.ReLU(), conv(5, 4, kernel), nn.Flatten(), nn.LazyLinear(3))
    images = torch.zeros(1, 2, *shape)
    model(images)
    found = representation(model, images)
    assert [one.adjacency.channels for one in found.connections] == [5, 4]
    assert found.connections[0].adjacency.degrees == torch.Size(kernel).numel()


def test_residual_networks_are_acyclic_graphs():
    found = representation(resnet18(), torch.zeros(1, 1, 28, 28))
    drawn = networkx.DiGraph([(one.earlier, one.later) for one in found.connections])
    assert len(found.layers) == 21 and len(drawn) == 21 and networkx.is_directed_acyclic_graph(drawn)
    assert all(one.earlier < one.later for one in found.connections)
    by_path = {layer.path: index for index, layer in enumerate(found.layers)}
    into = [one for one in found.connections if one.later == by_path["layer2.1.conv1"]]
    assert {one.earlier for one in into} == {by_path["layer2.0.conv2"], by_path["layer2.0.downsample.0"]}
    # A sum: each of them writes all channels, the shortcut from 64 only in a subspace.
    assert [(one.adjacency.channels, one.adjacency.coefficients.shape) for one in into] == [
        (128, (128, 128)), (128, (128, 64))
    ]  # fmt: skip
    total = into[0].adjacency.coefficients.sum(1)
    torch.testing.assert_close(total, torch.ones(128, dtype=torch.float64), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["svr", "mixed"])
def test_concatenated_layers_write_parts(kind):
    torch.manual_seed(4)
    branch = nn.Conv2d(4, 6, 3, padding=1)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), ConcatenatedSkip(branch), nn.Flatten(), nn.Linear(90, 7)).double()
    found = representation(model, torch.zeros(1, 3, 3, 3, dtype=torch.float64), kind=kind)
    parts = [one.adjacency for one in found.connections if found.layers[one.later].path == "3"]
    assert [part.channels for part in parts] == [10, 10] and [part.degrees for part in parts] == [9, 9]
    # All six channels are written by neurons, and three of the four: the first layer reads three.
    total = torch.cat([part.coefficients for part in parts], 1).sum(1)
    assert (total <= 1 + 1e-12).all() and 0.8 < total.mean() < 1


def test_grouped_and_depthwise_convolutions():
    torch.manual_seed(5)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 6, 1), nn.Conv2d(6, 6, 3, groups=2)
    )
    found = representation(model, torch.zeros(1, 3, 9, 9))
    assert [(one.adjacency.channels, one.adjacency.share) for one in found.connections] == [(8, 1), (8, 1), (6, 1)]
    assert found.connections[0].adjacency.degrees == 1 and max(a.max() for a in coefficients(found)) <= 1 + 1e-12
    same(found, representation_of_weights([layer.weight for layer in model]), atol=0)


def test_weights_alone_give_the_same():
    model = convolutional()
    weights = {path: module.weight for path, module in model.named_modules() if hasattr(module, "weight")}
    found, expected = representation_of_weights(weights), representation(model, IMAGES)
    assert [layer.path for layer in found.layers] == ["0", "3", "6", "8"]
    same(found, expected, atol=0)
    assert [layer.path for layer in representation_of_weights(list(weights.values())).layers] == ["0", "1", "2", "3"]


def test_count_keeps_the_leading_neurons():
    model = convolutional()
    whole, leading = representation(model, IMAGES), representation(model, IMAGES, count=4)
    for layer, other in zip(leading.layers, whole.layers, strict=True):
        torch.testing.assert_close(layer.singular_values, other.singular_values[:4], rtol=1e-12, atol=0)
    for a, b in zip(coefficients(leading), coefficients(whole), strict=True):
        torch.testing.assert_close(a, b[:4, :4], rtol=0, atol=1e-10)


def test_a_layer_whose_weights_are_zero_has_no_neurons():
    model = convolutional()
    nn.init.zeros_(model[3].weight)
    found = representation(model, IMAGES)
    assert [a.shape for a in coefficients(found)] == [(0, 6), (12, 0), (5, 12)]


def test_networks_without_connections_are_refused():
    with pytest.raises(LayerError, match=r"no linear layer feeds another.*linear layers: 1"):
        representation(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), torch.zeros(1, 4))
    with pytest.raises(LayerError, match=r"no linear layer feeds another.*linear layers: 0"):
        representation_of_weights([torch.ones(3, 4)])
    with pytest.raises(LayerError, match="runs no fully connected layer"):
        representation(nn.Sequential(nn.ReLU()), torch.zeros(1, 4))


def test_weights_that_are_not_finite_are_named():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.ReLU(), nn.Conv2d(4, 2, 1)))
    nn.init.constant_(model[1][1].weight, float("nan"))
    with pytest.raises(ValueError, match=r"layer '1.1': 8 of the 8 weights are NaN or infinite"):
        representation(model, torch.zeros(1, 3, 2, 2))


def test_weights_that_do_not_chain_are_named():
    with pytest.raises(ChainError, match="layer 'b' with 9 input channels cannot follow 'a' with 4 output channels"):
        representation_of_weights({"a": torch.ones(4, 3), "b": torch.ones(2, 9)})
    with pytest.raises(ChainError, match="layer '1' with 8 input channels cannot follow '0' with 4"):
        representation_of_weights([torch.ones(4, 3), torch.ones(2, 8, 3, 3)])
    with pytest.raises(ValueError, match=r"layer '0': weights are \(4,\) of torch.float32; expected"):
        representation_of_weights([torch.ones(4), torch.ones(2, 4)])


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(torch.relu(self.layer(x)))


def test_layers_that_feed_themselves_have_no_acyclic_graph():
    with pytest.raises(GraphError, match="layer 'layer' feeds 'layer', which ran before"):
        representation(Twice(), torch.zeros(1, 4))


def test_settings_out_of_range_are_refused():
    model, images = nn.Sequential(nn.Linear(4, 3), ResidualSkip(nn.Linear(3, 3))), torch.zeros(1, 4)
    with pytest.raises(ValueError, match="kind is 'both'; expected one of svr, co_svr, mixed"):
        representation(model, images, kind="both")
    with pytest.raises(ValueError, match="count is 0; expected at least one"):
        representation(model, images, count=0)
    with pytest.raises(ValueError, match="batch_norm is 'yes'; expected one of ignored, folded"):
        representation(model, images, batch_norm="yes")
