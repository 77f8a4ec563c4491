"""The matrices of a convolution's weights, their relations and their singular values."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paperlib.unfolding import (
    ConvolutionMatrices,
    UnfoldingError,
    convolution_matrices,
    input_unfolding,
    receptive_fields,
    slices,
)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(4, 3, 5), (4, 3, 2, 5), (4, 3, 2, 1, 3)], ids=str)
def test_rows_of_the_input_unfolding_are_what_a_pixel_adds_to_an_output(shape):
    weight = draw(*shape)
    matrix, k = input_unfolding(weight), int(np.prod(shape[2:]))
    assert matrix.shape == (4 * k, 3)
    for out in range(4):
        for place, entry in enumerate(np.ndindex(*shape[2:])):
            assert torch.equal(matrix[out * k + place], weight[(out, slice(None), *entry)])


@pytest.mark.parametrize("shape", [(4, 3, 5), (4, 3, 2, 5), (4, 3, 2, 1, 3)], ids=str)
def test_slices_are_the_matrices_of_channels_at_each_place(shape):
    weight = draw(*shape)
    found = slices(weight)
    assert found.shape == (int(np.prod(shape[2:])), 4, 3)
    for place, entry in enumerate(np.ndindex(*shape[2:])):
        assert torch.equal(found[place], weight[(slice(None), slice(None), *entry)])


def test_groups_leave_zeros_between_channels_of_different_groups():
    weight = draw(6, 2, 3)
    full = torch.zeros(6, 6, 3, dtype=torch.float64)
    for group in range(3):
        full[2 * group : 2 * group + 2, 2 * group : 2 * group + 2] = weight[2 * group : 2 * group + 2]
    assert torch.equal(input_unfolding(weight, groups=3), input_unfolding(full))
    assert torch.equal(slices(weight, groups=3), slices(full))
    matrices = convolution_matrices(nn.Conv1d(6, 6, 3, groups=3))
    assert matrices.W1.shape == (6, 18)
    assert matrices.co_W1.shape == (18, 6)
    assert matrices.slices.shape == (3, 6, 6)
    assert matrices.kernels.shape == (12, 3)
    assert matrices.in_channels == 6


@pytest.mark.parametrize("function", [input_unfolding, slices])
@pytest.mark.parametrize("groups", [4, 5])
def test_groups_that_do_not_divide_the_filters_are_refused(function, groups):
    with pytest.raises(ValueError, match=f"6 filters cannot be shared out to {groups} groups"):
        function(draw(6, 2, 3), groups)


@pytest.mark.parametrize(("kernel", "size"), [((3, 3), (6, 6)), ((2, 3), (5, 6)), ((1, 4), (4, 7))], ids=str)
def test_gram_matrix_of_the_operator_has_copies_of_that_of_the_unfolding(kernel, size):
    """convsvd.prop.05: blocks of a position are those of W1, and blocks of neighbours are not zero."""
    matrices = convolution_matrices(draw(3, 2, *kernel))
    W2 = matrices.operator_matrix(size, "valid")
    positions = W2.shape[0] // 3
    by_position = W2.unflatten(0, (3, positions)).transpose(0, 1)
    gram = torch.einsum("pia,qja->piqj", by_position, by_position)
    block = matrices.W1 @ matrices.W1.T
    for position in range(positions):
        torch.testing.assert_close(gram[position, :, position], block, rtol=1e-12, atol=1e-12)
    assert gram[0, :, 1].abs().max() > 0.1


@pytest.mark.parametrize(("kernel", "size"), [((3, 3), (6, 6)), ((2, 3), (5, 6)), ((5,), (9,)), ((2, 2, 3), (4, 3, 5))])
def test_norms_of_the_operator(kernel, size):
    """convsvd.prop.12: each position holds every filter once; the kernel's places bound the spectral norm."""
    matrices = convolution_matrices(draw(4, 3, *kernel))
    W2, positions = matrices.operator_matrix(size, "valid"), np.prod(matrices.output_size(size, "valid"))
    torch.testing.assert_close(W2.square().sum(), positions * matrices.W1.square().sum(), rtol=1e-12, atol=0)
    bound = np.sqrt(np.prod(kernel)) * torch.linalg.matrix_norm(matrices.W1, 2)
    assert torch.linalg.matrix_norm(W2, 2) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("shape", [(5, 3, 3, 3), (40, 2, 2, 2), (8, 2, 2, 2)], ids=str)
def test_the_unfolding_is_a_sum_over_its_singular_triplets(shape):
    """convsvd.prop.07 and prop.16, for fewer and for more filters than entries of a field."""
    matrices = convolution_matrices(draw(*shape))
    U, S, Vh = torch.linalg.svd(matrices.W1, full_matrices=False)
    fields = receptive_fields(nn.Conv2d(shape[1], shape[0], shape[2:]), draw(1, shape[1], 5, 6, seed=1))[0].mT
    outputs = matrices.W1 @ fields
    total = sum(s * torch.outer(u, v @ fields) for s, u, v in zip(S, U.T, Vh, strict=True))
    torch.testing.assert_close(total, outputs, rtol=1e-10, atol=1e-10)
    eigenvalues = torch.linalg.eigvalsh(matrices.W1 @ matrices.W1.T).flip(0)[: len(S)]
    torch.testing.assert_close(eigenvalues, S.square(), rtol=1e-10, atol=1e-10)
    # The signals of all fields in a direction are the outputs seen along its left singular vector: eq. 19, prop.08.
    signals = S.unsqueeze(1) * (Vh @ fields)
    torch.testing.assert_close(signals, U.T @ outputs, rtol=1e-10, atol=1e-10)
    # Their mean is that of the mean field: prop.09.
    torch.testing.assert_close(signals.mean(1), S * (Vh @ fields.mean(1)), rtol=1e-10, atol=1e-10)


def test_an_object_from_weights_has_stride_one_and_no_padding():
    matrices = convolution_matrices(draw(4, 3, 2, 5))
    assert isinstance(matrices, ConvolutionMatrices)
    assert (matrices.stride, matrices.dilation, matrices.padding) == ((1, 1), (1, 1), ((0, 0), (0, 0)))
    assert matrices.kernel == (2, 5)
    assert matrices.output_size((6, 7), "zero") == (5, 3)


def test_padding_is_read_axis_by_axis():
    assert convolution_matrices(nn.Conv2d(1, 1, (4, 3), padding="same")).padding == ((1, 2), (1, 1))
    assert convolution_matrices(nn.Conv3d(1, 1, 3, padding=(0, 1, 2))).padding == ((0, 0), (1, 1), (2, 2))
    assert convolution_matrices(nn.Conv1d(1, 1, 3, padding="valid")).padding == ((0, 0),)


@pytest.mark.parametrize(
    "layer", [nn.Linear(3, 4), nn.ConvTranspose2d(2, 3, 3), nn.ReLU()], ids=lambda m: type(m).__name__
)
def test_other_layers_are_refused(layer):
    with pytest.raises(UnfoldingError, match=f"{type(layer).__name__} is no convolution; supported are Conv1d, Conv2d"):
        convolution_matrices(layer)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (torch.zeros(3, 4), r"weights are \(3, 4\) of torch.float32"),
        (torch.zeros(3, 0, 2), r"weights are \(3, 0, 2\)"),
        (torch.zeros(3, 2, 2, dtype=torch.int64), "of torch.int64"),
        (torch.tensor([[[1.0, float("nan"), float("inf")]]]), "2 of the 3 weights are NaN or infinite"),
    ],
)
def test_bad_weights_are_refused(weight, message):
    with pytest.raises(UnfoldingError, match=message):
        convolution_matrices(weight)
