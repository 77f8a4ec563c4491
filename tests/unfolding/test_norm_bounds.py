"""Both bounds of the operator matrix's largest singular value by that of the output unfolding."""

import pytest
import torch

from paperlib.unfolding import convolution_matrices


@pytest.mark.parametrize(("kernel", "size"), [((3, 3), (6, 6)), ((2, 3), (5, 6)), ((5,), (9,)), ((2, 2, 3), (4, 3, 5))])
def test_the_largest_singular_value_is_between_both_bounds(kernel, size):
    """The unfolding's Gram matrix is a diagonal block; each entry of the input lies in at most as many fields as the
    kernel has places."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 3, *kernel, generator=generator, dtype=torch.float64)
    matrices = convolution_matrices(weight)
    small, large = (torch.linalg.matrix_norm(one, 2) for one in (matrices.W1, matrices.operator_matrix(size, "valid")))
    places = torch.tensor(kernel).prod().item()
    assert small * (1 - 1e-12) <= large <= places**0.5 * small * (1 + 1e-12)


def test_a_filter_whose_fields_do_not_overlap_attains_the_lower_bound():
    layer = torch.nn.Conv2d(2, 3, 2, stride=2, bias=False).double()
    matrices = convolution_matrices(layer)
    small, large = (
        torch.linalg.matrix_norm(one, 2) for one in (matrices.W1, matrices.operator_matrix((6, 6), "valid"))
    )
    torch.testing.assert_close(large, small, rtol=1e-12, atol=0)


def test_the_input_unfolding_has_the_norm_of_the_weights():
    weight = torch.randn(4, 3, 2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = convolution_matrices(weight).co_W1
    torch.testing.assert_close(matrix.square().sum(), weight.square().sum(), rtol=1e-14, atol=0)
