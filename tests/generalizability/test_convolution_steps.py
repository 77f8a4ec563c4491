"""Convolutions sum by sum, against matrices that are written down entry by entry from the definition."""

import numpy as np
import pytest
import torch
from torch import Tensor

from paperlib.generalizability.convolution_steps import ConvolutionSteps, convolution_examples, convolution_steps

EXAMPLES = convolution_examples()


def by_definition(steps: ConvolutionSteps) -> tuple[np.ndarray, np.ndarray]:
    """The matrix and the places in the kernel, by going through outputs and kernel places: nothing of the library."""
    v, kernel, z = (np.atleast_2d(one.numpy()) for one in (steps.v, steps.kernel, steps.z))
    # A signal has one row and no padding above.
    stride = (1 if steps.v.dim() == 1 else steps.stride, steps.stride)
    padding = (0 if steps.v.dim() == 1 else steps.padding, steps.padding)
    matrix = np.zeros((z.size, v.size))
    taps = np.full(matrix.shape, -1)
    for output in np.ndindex(z.shape):
        for place in np.ndindex(kernel.shape):
            at = tuple(stride[a] * output[a] + place[a] - padding[a] for a in (0, 1))
            if all(0 <= at[a] < v.shape[a] for a in (0, 1)):
                entry = np.ravel_multi_index(output, z.shape), np.ravel_multi_index(at, v.shape)
                matrix[entry] = kernel[place]
                taps[entry] = np.ravel_multi_index(place, kernel.shape)
    return matrix, taps


@pytest.mark.parametrize("steps", EXAMPLES, ids=lambda steps: steps.name)
def test_matrix_and_both_products_are_those_of_the_definition(steps):
    matrix, taps = by_definition(steps)
    assert np.array_equal(steps.matrix, matrix)
    assert np.array_equal(steps.taps, taps)
    # Integers: not a bit is lost.
    assert np.array_equal(steps.forward.flatten(), matrix @ steps.v.flatten().numpy())
    assert np.array_equal(steps.backward.flatten(), matrix.T @ steps.z.flatten().numpy())
    assert steps.backward.shape == steps.v.shape and steps.forward.shape == steps.z.shape


@pytest.mark.parametrize("steps", EXAMPLES, ids=lambda steps: steps.name)
def test_both_dot_products_agree_and_are_not_zero(steps):
    left, right = steps.products
    assert left == right != 0
    assert left == float(steps.z.flatten() @ steps.matrix @ steps.v.flatten())


def test_the_examples_are_apart_and_one_of_them_leaves_a_place_unread():
    assert len({steps.name for steps in EXAMPLES}) == len(EXAMPLES)
    assert {steps.v.dim() for steps in EXAMPLES} == {1, 2}
    assert {steps.stride for steps in EXAMPLES} == {1, 2} and {steps.padding for steps in EXAMPLES} == {0, 1}
    assert any((steps.taps < 0).all(0).any() for steps in EXAMPLES)


def test_a_weight_of_zero_still_has_its_place():
    kernel = torch.tensor([1, 0, 2])
    steps = convolution_steps("holed", torch.arange(4), kernel, torch.ones(2))
    assert steps.taps.tolist() == [[0, 1, 2, -1], [-1, 0, 1, 2]]
    assert steps.matrix.tolist() == [[1, 0, 2, 0], [0, 1, 0, 2]]


@pytest.mark.parametrize(
    ("v", "kernel", "z", "words"),
    [
        (torch.ones(2, 2, 2), torch.ones(1, 1, 1), torch.ones(2, 2, 2), "v has 3 axes and the kernel 3"),
        (torch.ones(4), torch.ones(1, 2), torch.ones(3), "v has 1 axes and the kernel 2"),
        (torch.ones(4), torch.ones(2), torch.ones(4), r"z is \(4,\); the convolution gives \(3,\)"),
    ],
)
def test_what_does_not_fit_is_an_error(v: Tensor, kernel: Tensor, z: Tensor, words: str):
    with pytest.raises(ValueError, match=f"example: {words}"):
        convolution_steps("example", v, kernel, z)
