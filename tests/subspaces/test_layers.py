"""Matrices of a layer in three readings, and the vectors that they act on."""

import re

import pytest
import torch
from subspaces_support import CONV, CONV_TRANSPOSE, SIDES, draw
from torch import Tensor, nn

from paperlib.models import build
from paperlib.operators import UnsupportedLayerError
from paperlib.subspaces import LayerError, layer_matrix, layer_vectors, linear_layer, linear_layers
from paperlib.svd import SvdError

# torch says that an even kernel may need a padded copy of its input; here it is meant.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

SETTINGS = {
    "plain": {},
    "stride": {"stride": 2, "padding": 1},
    "dilation": {"dilation": 2, "padding": 2},
    "same, even": {"kernel_size": 2, "padding": "same"},
    "groups": {"in_channels": 4, "out_channels": 6, "groups": 2, "padding": 1},
    "depthwise": {"in_channels": 3, "out_channels": 3, "groups": 3},
    "many filters": {"out_channels": 9, "padding": 1},
}
TRANSPOSED = {
    "plain": {},
    "stride": {"stride": 2, "padding": 1, "output_padding": 1},
    "groups": {"in_channels": 4, "out_channels": 6, "groups": 2, "stride": 2},
    "few filters": {"out_channels": 1, "padding": 1},
}


def settle(kinds: dict, axes: int, words: dict) -> nn.Module:
    return kinds[axes](**{"in_channels": 2, "out_channels": 3, "kernel_size": 3} | words).double()


@pytest.fixture(params=[1, 2, 3])
def axes(request) -> int:
    return request.param


@pytest.fixture(params=SETTINGS)
def convolution(request, axes) -> nn.Module:
    return settle(CONV, axes, SETTINGS[request.param])


@pytest.fixture
def x(convolution, axes) -> Tensor:
    return draw(2, convolution.in_channels, *SIDES[axes])


def linear_part(layer: nn.Module, x: Tensor) -> Tensor:
    """The layer's outputs without its bias."""
    return (layer(x) - layer(torch.zeros_like(x))).detach()


def dense(layer: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """The layer as a matrix, column by column from the unit images."""
    units = torch.eye(torch.Size(shape).numel(), dtype=torch.float64).reshape(-1, *shape)
    return linear_part(layer, units).flatten(1).mT


def test_map_is_the_dense_matrix_of_the_layer(convolution, x):
    shape = tuple(x.shape[1:])
    matrix = layer_matrix(convolution, "map", shape)
    torch.testing.assert_close(matrix, dense(convolution, shape), rtol=0, atol=1e-14)


@pytest.mark.parametrize("setting", TRANSPOSED)
def test_map_of_a_transposed_convolution(axes, setting):
    layer = settle(CONV_TRANSPOSE, axes, TRANSPOSED[setting])
    shape = (layer.in_channels, *(4, 3, 2)[:axes])
    matrix, x = layer_matrix(layer, "map", shape), draw(5, *shape)
    torch.testing.assert_close(matrix, dense(layer, shape), rtol=0, atol=1e-14)
    vectors = layer_vectors(layer, x, "map")
    torch.testing.assert_close((vectors @ matrix.mT).squeeze(1), linear_part(layer, x).flatten(1), rtol=0, atol=1e-12)


def test_vectors_times_map_are_the_outputs(convolution, x):
    vectors = layer_vectors(convolution, x, "map")
    y = vectors @ layer_matrix(convolution, "map", tuple(x.shape[1:])).mT
    assert vectors.shape == (2, 1, x[0].numel())
    torch.testing.assert_close(y.squeeze(1), linear_part(convolution, x).flatten(1), rtol=0, atol=1e-12)


def test_vectors_times_unfolding_are_the_outputs(convolution, x):
    matrix, vectors = layer_matrix(convolution), layer_vectors(convolution, x)
    y = linear_part(convolution, x).flatten(2)
    k = convolution.weight[0, 0].numel()
    assert matrix.shape == (convolution.out_channels, convolution.in_channels * k)
    assert vectors.shape == (2, y.shape[2], matrix.shape[1])
    torch.testing.assert_close((vectors @ matrix.mT).mT, y, rtol=0, atol=1e-12)


def test_vectors_times_kernels_summed_over_the_channels_are_the_outputs(convolution, x):
    stack, vectors = layer_matrix(convolution, "kernels"), layer_vectors(convolution, x, "kernels")
    y = linear_part(convolution, x).flatten(2)
    c_in, groups = convolution.in_channels, convolution.groups
    k = convolution.weight[0, 0].numel()
    assert stack.shape == (convolution.out_channels * c_in // groups, k)
    assert vectors.shape == (2, y.shape[2] * c_in, k)
    by_group = vectors.reshape(2, y.shape[2], groups, c_in // groups, k)
    kernels = stack.reshape(groups, convolution.out_channels // groups, c_in // groups, k)
    found = torch.einsum("bpgik,goik->bgop", by_group, kernels).flatten(1, 2)
    torch.testing.assert_close(found, y, rtol=0, atol=1e-12)


def test_energy_of_the_vectors_is_the_same_by_kernel_and_by_field(convolution, x):
    by_kernel, by_field = layer_vectors(convolution, x, "kernels"), layer_vectors(convolution, x, "unfolding")
    torch.testing.assert_close(by_kernel.square().sum((1, 2)), by_field.square().sum((1, 2)), rtol=1e-13, atol=0)


@pytest.mark.parametrize("reading", ["kernels", "unfolding", "map"])
@pytest.mark.parametrize("shape", [(6,), (4, 6), (2, 3, 6)], ids=str)
def test_a_fully_connected_layer_has_one_matrix(reading, shape):
    layer = nn.Linear(6, 4).double()
    matrix, x = layer_matrix(layer, reading), draw(3, *shape)
    assert torch.equal(matrix, layer.weight) and not matrix.requires_grad
    vectors = layer_vectors(layer, x, reading)
    assert vectors.shape == (3, x[0].numel() // 6, 6)
    torch.testing.assert_close((vectors @ matrix.mT).reshape(3, *shape[:-1], 4), linear_part(layer, x))


@pytest.mark.parametrize("reading", ["kernels", "unfolding", "map"])
def test_matrix_has_the_dtype_of_the_weights_and_no_graph(reading):
    layer = nn.Conv2d(2, 3, 3)
    matrix = layer_matrix(layer, reading, (2, 5, 5))
    assert matrix.dtype == torch.float32 and not matrix.requires_grad
    expected = layer_matrix(layer.double(), reading, (2, 5, 5))
    torch.testing.assert_close(matrix.double(), expected, rtol=0, atol=0)


def test_layer_of_figure_2_has_nine_columns():
    layer = linear_layer(build("resnet18"), "layer1.0.conv1")
    assert layer_matrix(layer, "kernels").shape == (4096, 9)
    assert layer_matrix(layer, "unfolding").shape == (64, 576)


def named() -> nn.Module:
    inner = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.ConvTranspose1d(2, 1, 3))
    return nn.ModuleDict({"embed": nn.Embedding(5, 4), "inner": inner, "head": nn.Linear(4, 2)})


def test_linear_layers_are_found_by_path_in_order():
    model = named()
    found = linear_layers(model)
    assert list(found) == ["inner.0", "inner.2", "head"]
    assert found["inner.2"] is model["inner"][2]
    assert linear_layer(model, "head") is model["head"]
    assert list(linear_layers(nn.Linear(2, 2))) == [""]
    assert linear_layers(nn.ReLU()) == {}


@pytest.mark.parametrize("path", ["tail", "inner", "inner.1", "embed", ""])
def test_a_layer_that_does_not_exist_lists_the_ones_there_are(path):
    words = f"ModuleDict has no linear layer {path!r}; its linear layers are: inner.0, inner.2, head"
    with pytest.raises(LayerError, match=f"^{re.escape(words)}$"):
        linear_layer(named(), path)


def test_a_model_without_linear_layers_says_so():
    with pytest.raises(LayerError, match="ReLU has no linear layer 'conv1'; its linear layers are: none"):
        linear_layer(nn.ReLU(), "conv1")


@pytest.mark.parametrize("reading", ["kernels", "unfolding", "map"])
def test_an_embedding_has_no_matrix(reading):
    with pytest.raises(LayerError, match=f"Embedding has no matrix in reading '{reading}'; readings it has: none"):
        layer_matrix(nn.Embedding(5, 4), reading, (3,))


@pytest.mark.parametrize("reading", ["kernels", "unfolding"])
def test_a_transposed_convolution_has_its_map_alone(reading):
    with pytest.raises(LayerError, match=f"ConvTranspose2d has no matrix in reading '{reading}'; .*: map"):
        layer_matrix(nn.ConvTranspose2d(2, 3, 3), reading)


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 1, 3), nn.Linear(3, 2)], ids=["Conv2d", "Linear"])
def test_an_unknown_reading_is_refused(layer):
    message = "reading is 'kernel'; expected one of kernels, unfolding, map"
    with pytest.raises(LayerError, match=message):
        layer_matrix(layer, "kernel")
    with pytest.raises(LayerError, match=message):
        layer_vectors(layer, torch.zeros(1, 1, 3, 3), "kernel")


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_a_map_without_the_size_of_its_input_is_refused(kind):
    with pytest.raises(LayerError, match=rf"the map of a {kind.__name__} depends on the size of its input; give"):
        layer_matrix(kind(1, 1, 3), "map")


def test_a_map_with_two_large_sides_is_refused_before_it_is_formed():
    """Its matrix would take 670 MB."""
    layer = nn.Conv2d(1, 2, 1)
    with pytest.raises(SvdError, match="20000 x 10000 has none of at most 4096"):
        layer_matrix(layer, "map", (1, 100, 100))
    assert layer_matrix(nn.Conv2d(1, 1, 99), "map", (1, 100, 100)).shape == (4, 10000)


def test_a_map_of_another_input_than_the_layer_takes_is_refused():
    with pytest.raises(ValueError, match=r"does not accept its input .* to have 2 channels, but got 3"):
        layer_matrix(nn.Conv2d(2, 3, 3), "map", (3, 5, 5))


def test_a_map_of_a_setting_without_adjoint_is_refused():
    layer = nn.ConvTranspose2d(2, 3, 3, dilation=2, output_padding=1)
    with pytest.raises(UnsupportedLayerError, match=r"output_padding \(1, 1\) not below the stride"):
        layer_matrix(layer, "map", (2, 5, 5))


def test_a_map_with_circular_padding_is_that_of_the_layer():
    layer = nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular", bias=False)
    images = torch.eye(50).unflatten(1, (2, 5, 5))
    with torch.no_grad():
        expected = layer(images).flatten(1).T
    # Float32 sums of eighteen terms, in another order.
    torch.testing.assert_close(layer_matrix(layer, "map", (2, 5, 5)).float(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("layer", [nn.ConvTranspose2d(3, 2, 3), nn.Embedding(3, 2)], ids=["transposed", "embedding"])
@pytest.mark.parametrize("reading", ["kernels", "unfolding"])
def test_vectors_of_a_layer_without_such_a_matrix_are_refused(layer, reading):
    with pytest.raises(LayerError, match=r"has no .* in reading"):
        layer_vectors(layer, torch.rand(1, 3, 8, 8), reading)
