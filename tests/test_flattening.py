"""The paper's flattening against its formula, and Definition 1's regions against sum pooling itself."""

import pytest
import torch

from paperlib.flattening import paper_tensor, paper_vec, pooling_regions
from paperlib.generalizability.errata import stride_check
from paperlib.layers import SumPool


def test_vec_follows_the_formula_of_the_paper():
    c, m, n, d = 2, 3, 4, 5
    X = torch.randn(c, m, n, d)
    x = paper_vec(X)
    for channel, i, j, k in ((0, 0, 0, 0), (1, 2, 3, 4), (0, 1, 2, 3), (1, 0, 3, 1)):
        assert x[j + n * i + m * n * k + m * n * d * channel] == X[channel, i, j, k]


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5), (1, 1, 1, 1)])
def test_tensor_inverts_vec(shape):
    X = torch.randn(shape)
    assert torch.equal(paper_tensor(paper_vec(X), shape), X)


@pytest.mark.parametrize("coarse", [(2, 3, 2), (1, 4, 3), (3, 1, 2)])
def test_corrected_regions_are_the_matrix_of_sum_pooling(coarse):
    fine = tuple(2 * side for side in coarse)
    X = torch.randn(1, *fine, dtype=torch.float64)
    regions = pooling_regions(coarse)
    pooled = paper_vec(X)[regions].sum(1)
    # Eight additions of numbers of order one in double precision.
    torch.testing.assert_close(pooled, paper_vec(SumPool(2)(X[None])[0]), rtol=0, atol=1e-13)


def test_corrected_regions_tile_the_grid_and_printed_ones_do_not():
    checks = stride_check((2, 3, 2))
    corrected, printed = checks["corrected"], checks["as printed"]
    assert (corrected.covered, corrected.total, corrected.double_counts) == (96, 96, 0)
    assert (printed.covered, printed.total, printed.double_counts) == (33, 96, 63)


def test_printed_strides_are_right_only_where_the_grid_has_one_column_of_voxels():
    with_one_voxel = stride_check((1, 1, 1))["as printed"]
    assert with_one_voxel.covered < with_one_voxel.total
