"""Convolutions of settings that nobody chose: drawn by Hypothesis."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from operator_cases import CONV, CONV_TRANSPOSE
from torch import nn

from paperlib.operators import dot_test, freeze

# torch says that an even kernel may need a padded copy of its input; here it is meant.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")


@st.composite
def convolution_settings(draw) -> tuple[int, tuple[int, ...], dict]:
    axes = draw(st.integers(1, 3))
    groups = draw(st.integers(1, 3))
    per_axis = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(axes))  # noqa: E731
    words = {
        "in_channels": groups * draw(st.integers(1, 2 if axes == 3 else 5)),
        "out_channels": groups * draw(st.integers(1, 3)),
        "kernel_size": per_axis(1, 4),
        "stride": per_axis(1, 4),
        "padding": per_axis(0, 4),
        "dilation": per_axis(1, 3),
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    sides = per_axis(1, 5 if axes == 3 else 9)
    return axes, sides, words


def check(layer: nn.Module, sides: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, layer.in_channels, *sides, dtype=torch.float64, generator=generator)
    frozen = freeze(layer.double(), images)
    assert max(dot_test(frozen[0], trials=2), dot_test(frozen[1], trials=2)) < 1e-12
    linear = frozen.product(images.unsqueeze(1)).squeeze(1) + frozen.offset()
    torch.testing.assert_close(linear, layer(images).detach(), rtol=1e-11, atol=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(convolution_settings())
def test_any_convolution_has_its_adjoint(drawn):
    axes, sides, words = drawn
    for side, kernel, pad, dilation in zip(
        sides, words["kernel_size"], words["padding"], words["dilation"], strict=True
    ):
        assume(side + 2 * pad >= dilation * (kernel - 1) + 1)
    check(CONV[axes](**words), sides)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(convolution_settings())
def test_any_same_convolution_has_its_adjoint(drawn):
    axes, sides, words = drawn
    check(CONV[axes](**words | {"stride": 1, "padding": "same"}), sides)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(convolution_settings(), st.integers(0, 3))
def test_any_transposed_convolution_has_its_adjoint(drawn, extra):
    axes, sides, words = drawn
    words["output_padding"] = tuple(min(extra, stride - 1) for stride in words["stride"])
    for side, kernel, stride, pad, dilation, more in zip(
        sides,
        words["kernel_size"],
        words["stride"],
        words["padding"],
        words["dilation"],
        words["output_padding"],
        strict=True,
    ):
        assume((side - 1) * stride - 2 * pad + dilation * (kernel - 1) + more + 1 >= 1)
    check(CONV_TRANSPOSE[axes](**words), sides)
