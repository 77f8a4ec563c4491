"""The operator matrix W2 against torch's convolutions, dense, sparse and as an operator."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.operators import dot_test, freeze
from paperlib.svd import dense_matrices
from paperlib.unfolding import UnfoldingError, convolution_matrices

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
# Different on every axis, so that swapped axes show.
SIZE = {1: (9,), 2: (6, 7), 3: (4, 3, 5)}
KERNEL = {1: (3,), 2: (3, 2), 3: (2, 3, 1)}
SETTINGS = {
    "plain": {},
    "padding": {"padding": 1},
    "stride": {"stride": 2},
    "stride, padding": {"stride": 2, "padding": 1},
    "dilation": {"dilation": 2, "padding": 2},
    "all": {"stride": 2, "dilation": 2, "padding": 2},
    "same": {"padding": "same"},
    "groups": {"in_channels": 4, "out_channels": 6, "groups": 2, "padding": 1},
    "depthwise": {"in_channels": 3, "out_channels": 6, "groups": 3, "stride": 2, "padding": 1},
}
BOUNDARIES = ["valid", "zero", "circular"]
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def convolution(axes: int, **words) -> nn.Module:
    layer = CONV[axes](**{"in_channels": 2, "out_channels": 3, "kernel_size": KERNEL[axes]} | words).double()
    layer.weight.data.copy_(draw(*layer.weight.shape))
    return layer


def wrapped(x: Tensor, before: list[int], after: list[int]) -> Tensor:
    """The input with copies of itself on all sides, cut to ``before`` and ``after`` entries around it."""
    for axis, (low, high) in enumerate(zip(before, after, strict=True), start=2):
        size = x.shape[axis]
        copies = 1 + max(-(-low // size), -(-high // size))
        x = torch.cat([x] * (2 * copies + 1), dim=axis)
        x = x.narrow(axis, copies * size - low, low + size + high)
    return x


def expected(layer: nn.Module, x: Tensor, boundary: str) -> Tensor:
    """What the layer gives without its bias, by torch's own functions."""
    convolve = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[x.dim()]
    settings = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
    if boundary == "zero":
        return convolve(x, layer.weight, padding=layer.padding, **settings)
    if boundary == "circular":
        reach = [step * (side - 1) for step, side in zip(layer.dilation, layer.kernel_size, strict=True)]
        x = wrapped(x, [total // 2 for total in reach], [total - total // 2 for total in reach])
    return convolve(x, layer.weight, **settings)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_matrix_times_input_is_the_convolution(axes, setting, boundary):
    """convsvd.prop.03, to rounding of sums of some ten terms."""
    layer = convolution(axes, **SETTINGS[setting])
    size = tuple(side + 2 for side in SIZE[axes]) if boundary == "valid" else SIZE[axes]
    x = draw(2, layer.in_channels, *size, seed=1)
    y = expected(layer, x, boundary).detach()
    matrices = convolution_matrices(layer)
    W2 = matrices.operator_matrix(size, boundary)
    assert matrices.output_size(size, boundary) == tuple(y.shape[2:])
    assert W2.shape == (y[0].numel(), x[0].numel())
    torch.testing.assert_close(x.flatten(1) @ W2.T, y.flatten(1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_operator_is_the_matrix_and_its_adjoint_the_transpose(axes, setting, boundary):
    layer = convolution(axes, **SETTINGS[setting])
    size = tuple(side + 2 for side in SIZE[axes]) if boundary == "valid" else SIZE[axes]
    matrices = convolution_matrices(layer)
    operator, W2 = matrices.operator(size, boundary), matrices.operator_matrix(size, boundary)
    assert operator.shape == W2.shape
    x, y = draw(3, *operator.domain_shape, seed=2), draw(3, *operator.range_shape, seed=3)
    torch.testing.assert_close(operator.matmat(x).flatten(1), x.flatten(1) @ W2.T, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(operator.rmatmat(y).flatten(1), y.flatten(1) @ W2, rtol=1e-12, atol=1e-12)
    assert dot_test(operator) < 1e-13


@pytest.mark.parametrize("kernel", [(7,), (4,), (12,)])
def test_a_kernel_may_go_around_a_circular_input_several_times(kernel):
    layer = convolution(1, kernel_size=kernel)
    x = draw(1, 2, 3, seed=1)
    W2 = convolution_matrices(layer).operator_matrix((3,), "circular")
    y = expected(layer, x, "circular").detach()
    torch.testing.assert_close(W2 @ x.flatten(), y.flatten(), rtol=1e-12, atol=1e-12)
    operator = convolution_matrices(layer).operator((3,), "circular")
    torch.testing.assert_close(operator.dense(), W2, rtol=1e-12, atol=1e-12)


def test_circular_boundary_is_that_of_a_layer_with_circular_padding():
    layer = nn.Conv2d(2, 3, (3, 5), padding=(1, 2), padding_mode="circular", bias=False).double()
    x = draw(1, 2, 6, 7)
    W2 = convolution_matrices(layer).operator_matrix((6, 7), "circular")
    torch.testing.assert_close((W2 @ x.flatten()).reshape(1, 3, 6, 7), layer(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_sparse_matrix_is_the_dense_one_with_an_entry_for_each_weight_read(boundary):
    layer = convolution(2, padding=1)
    matrices = convolution_matrices(layer)
    sparse = matrices.operator_matrix((6, 7), boundary, sparse=True)
    assert sparse.is_sparse
    assert torch.equal(sparse.to_dense(), matrices.operator_matrix((6, 7), boundary))
    read = {"valid": 4 * 6 * 6, "circular": 6 * 7 * 6}
    if boundary in read:
        assert sparse.values().numel() == read[boundary] * 6
    else:
        assert sparse.values().numel() < 6 * 8 * 6 * 6


def test_zero_padding_gives_the_matrix_of_the_frozen_layer():
    """Against the operators of the frozen networks, which know nothing of these matrices."""
    layer = nn.Conv2d(2, 3, 3, stride=2, padding=1).double().eval()
    frozen = dense_matrices(freeze(layer, torch.zeros(1, 2, 7, 6, dtype=torch.float64)))[0]
    torch.testing.assert_close(convolution_matrices(layer).operator_matrix((7, 6), "zero"), frozen)


def test_errors_say_what_is_wrong():
    matrices = convolution_matrices(nn.Conv2d(2, 3, 3))
    with pytest.raises(UnfoldingError, match="boundary is 'reflect'; expected one of valid, zero, circular"):
        matrices.operator((4, 4), "reflect")
    with pytest.raises(UnfoldingError, match=r"\(4,\) has 1 axes, the kernel \(3, 3\) has 2; leave out batch"):
        matrices.operator_matrix((4,), "zero")
    with pytest.raises(UnfoldingError, match=r"kernel \(3, 3\) .* does not fit into an input of size \(2, 5\)"):
        matrices.output_size((2, 5), "valid")
    with pytest.raises(UnfoldingError, match=r"does not fit into an input of size \(0, 5\)"):
        matrices.output_size((0, 5), "circular")
