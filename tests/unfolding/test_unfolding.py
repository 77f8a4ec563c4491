"""Unfolded convolutions against torch's convolutions and `torch.nn.functional.unfold`."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.unfolding import kernel_stack, output_unfolding, receptive_fields

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
# Different on every axis, so that swapped axes show.
SIDES = {1: (11,), 2: (7, 9), 3: (5, 7, 6)}
KERNEL, EVEN = {1: (3,), 2: (3, 2), 3: (2, 3, 1)}, {1: (4,), 2: (2, 4), 3: (4, 2, 2)}
STRIDE, DILATION, PADDING = {1: (3,), 2: (2, 3), 3: (1, 2, 3)}, {1: (2,), 2: (2, 3), 3: (1, 2, 3)}, {1: 2, 2: 1, 3: 1}
WIDTHS = {1: (2,), 2: (2, 1), 3: (1, 2, 0)}
# torch says that an even kernel may need a padded copy of its input; here it is meant.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

SETTINGS = {
    "plain": lambda axes: {},
    "number": lambda axes: {"kernel_size": 3, "padding": PADDING[axes]},
    "stride": lambda axes: {"stride": STRIDE[axes]},
    "dilation": lambda axes: {"dilation": DILATION[axes]},
    "widths": lambda axes: {"padding": WIDTHS[axes]},
    "all": lambda axes: {"stride": STRIDE[axes], "dilation": 2, "padding": WIDTHS[axes]},
    "same": lambda axes: {"padding": "same"},
    "same, even, dilated": lambda axes: {"padding": "same", "kernel_size": EVEN[axes], "dilation": 2},
    "valid": lambda axes: {"padding": "valid"},
    "one pixel": lambda axes: {"kernel_size": 1},
    "groups": lambda axes: {"in_channels": 4, "out_channels": 6, "groups": 2, "padding": WIDTHS[axes]},
    "depthwise": lambda axes: {"in_channels": 3, "out_channels": 6, "groups": 3, "stride": 2},
}


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def convolution(axes: int, **words) -> nn.Module:
    settings = {"in_channels": 3, "out_channels": 4, "kernel_size": KERNEL[axes]} | words
    return CONV[axes](**settings).double()


def images(layer: nn.Module, axes: int) -> Tensor:
    return draw(2, layer.in_channels, *SIDES[axes], seed=1)


def check(layer: nn.Module, x: Tensor) -> None:
    """The products are those of the layer without its bias, to float64 rounding of sums of some hundred terms."""
    fields = receptive_fields(layer, x)
    matrix = output_unfolding(layer.weight, layer.groups)
    y = layer(x) - layer.bias.reshape(-1, *[1] * (x.dim() - 2))
    assert fields.shape == (len(x), y[0, 0].numel(), matrix.shape[1])
    assert matrix.shape[0] == layer.out_channels
    torch.testing.assert_close((fields @ matrix.mT).mT, y.flatten(2), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("setting", SETTINGS)
def test_fields_times_filters_are_the_convolution(axes, setting):
    layer = convolution(axes, **SETTINGS[setting](axes))
    check(layer, images(layer, axes))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("padding", ["number", "widths", "same", "same, even, dilated", "valid", "groups"])
@pytest.mark.parametrize("mode", ["circular", "reflect", "replicate"])
def test_any_padding_mode(axes, padding, mode):
    layer = convolution(axes, padding_mode=mode, **SETTINGS[padding](axes))
    check(layer, images(layer, axes))


@pytest.mark.parametrize(
    "words", [{}, {"stride": (2, 3), "padding": (2, 1)}, {"dilation": (2, 3), "padding": 3}], ids=str
)
def test_receptive_fields_are_those_of_torch(words):
    layer = convolution(2, kernel_size=(3, 2), **words)
    x = images(layer, 2)
    assert torch.equal(receptive_fields(layer, x), F.unfold(x, (3, 2), **words).mT)


def test_a_receptive_field_is_read_row_by_row_channel_by_channel():
    x = torch.arange(2 * 4 * 5, dtype=torch.float64).reshape(1, 2, 4, 5)
    fields = receptive_fields(nn.Conv2d(2, 1, (2, 3)), x)
    assert fields.shape == (1, 9, 12)
    for place, (row, column) in enumerate((row, column) for row in range(3) for column in range(3)):
        assert torch.equal(fields[0, place], x[0, :, row : row + 2, column : column + 3].flatten())


def test_rows_of_the_stack_are_the_kernels():
    weight = draw(4, 3, 2, 5)
    stack = kernel_stack(weight)
    assert stack.shape == (12, 10)
    for out in range(4):
        for channel in range(3):
            assert torch.equal(stack[3 * out + channel], weight[out, channel].flatten())


@pytest.mark.parametrize(
    ("shape", "k"), [((7, 5, 4), 4), ((6, 8, 3, 3), 9), ((5, 4, 2, 3, 2), 12), ((64, 64, 3, 3), 9)], ids=str
)
def test_a_stack_has_no_more_singular_values_than_a_kernel_has_entries(shape, k):
    """vectorspaces.prop.08 and claim.06: nine for the layer of Figure 2, however many its kernels are."""
    stack = kernel_stack(draw(*shape))
    assert stack.shape == (shape[0] * shape[1], k)
    assert len(torch.linalg.svdvals(stack)) == k


@pytest.mark.parametrize("shape", [(4, 3, 5), (4, 3, 2, 5), (4, 3, 2, 1, 3)], ids=str)
def test_rows_of_the_unfolding_are_the_filters_and_norms_are_the_same(shape):
    weight = draw(*shape)
    unfolded = output_unfolding(weight)
    assert torch.equal(unfolded, weight.reshape(4, -1))
    for matrix in (unfolded, kernel_stack(weight), output_unfolding(weight, groups=2)):
        torch.testing.assert_close(matrix.square().sum(), weight.square().sum(), rtol=1e-14, atol=0)


def test_a_filter_has_zeros_where_its_group_does_not_see():
    weight = draw(6, 2, 3)
    matrix = output_unfolding(weight, groups=3)
    assert matrix.shape == (6, 18)
    for out in range(6):
        group = out // 2
        seen = slice(6 * group, 6 * group + 6)
        assert torch.equal(matrix[out, seen], weight[out].flatten())
        assert matrix[out].count_nonzero() == 6


@pytest.mark.parametrize("groups", [4, 5])
def test_groups_that_do_not_divide_the_filters_are_refused(groups):
    with pytest.raises(ValueError, match=f"6 filters cannot be shared out to {groups} groups"):
        output_unfolding(draw(6, 2, 3), groups)
