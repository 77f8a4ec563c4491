"""The exact path: planted singular values, `torch.linalg.svd`, shapes, signs, residuals, counts."""

from dataclasses import replace

import pytest
import torch
from svd_support import draw, largest_angle, planted
from torch import nn

from paperlib.models import mnist_cnn
from paperlib.operators import CountingOperator, LinearOperator, MatrixOperator, freeze
from paperlib.svd import RankError, SvdError, batched_svd, dense_matrices, dense_svd, exact_svd, truncated_svd
from paperlib.svd.exact import LARGEST_SIDE, VECTORS_AT_ONCE

# Backward stable in float64: some hundred units of rounding relative to the largest singular value.
CLOSE = dict(rtol=1e-12, atol=1e-13)
WIDE, TALL, SQUARE = (6, 40), (40, 6), (12, 12)


@pytest.mark.parametrize("shape", [WIDE, TALL, SQUARE], ids=["wide", "tall", "square"])
def test_planted_singular_values_and_clusters_are_found(shape):
    values = [5.0, 3.0, 3.0, 3.0, 1.0, 1e-6]
    matrix, U, V = planted(*shape, values)
    found = dense_svd(matrix, k=6)
    torch.testing.assert_close(found.S, torch.tensor(values, dtype=torch.float64), rtol=0, atol=1e-14)
    for cluster in (slice(0, 1), slice(1, 4), slice(4, 5)):
        assert largest_angle(U[:, cluster], found.U[:, cluster]) < 1e-12
        assert largest_angle(V[:, cluster], found.Vh.T[:, cluster]) < 1e-12
    # The angle of the smallest is the rounding of the matrix over the gap, 1e-16 / 1e-6.
    assert largest_angle(V[:, 5:], found.Vh.T[:, 5:]) < 1e-9


@pytest.mark.parametrize("shape", [WIDE, TALL, SQUARE], ids=["wide", "tall", "square"])
@pytest.mark.parametrize("k", [1, 3, 6])
def test_agrees_with_torch(shape, k):
    matrices = draw(4, *shape)
    found = dense_svd(matrices, k)
    U, S, Vh = torch.linalg.svd(matrices, full_matrices=False)
    assert found.U.shape == (4, shape[0], k) and found.S.shape == (4, k) and found.Vh.shape == (4, k, shape[1])
    torch.testing.assert_close(found.S, S[:, :k], **CLOSE)
    truncated = found.U * found.S.unsqueeze(1) @ found.Vh
    torch.testing.assert_close(truncated, U[:, :, :k] * S[:, None, :k] @ Vh[:, :k], rtol=1e-10, atol=1e-11)
    identity = torch.eye(k, dtype=torch.float64).expand(4, k, k)
    torch.testing.assert_close(found.U.mT @ found.U, identity, **CLOSE)
    torch.testing.assert_close(found.Vh @ found.Vh.mT, identity, **CLOSE)
    assert (found.S.diff(dim=1) <= 0).all()


def test_largest_entry_of_each_right_vector_is_positive():
    found = dense_svd(draw(5, 8, 20))
    largest = found.Vh.gather(2, found.Vh.abs().argmax(2, keepdim=True))
    assert (largest > 0).all()
    opposite = dense_svd(-draw(5, 8, 20))
    torch.testing.assert_close(opposite.Vh, found.Vh, rtol=1e-9, atol=1e-10)
    torch.testing.assert_close(opposite.U, -found.U, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("shape", [WIDE, TALL], ids=["wide", "tall"])
def test_residuals_are_those_of_the_triplets(shape):
    matrices = draw(3, *shape)
    found = dense_svd(matrices, 4)
    for index in range(3):
        for triplet in range(4):
            u, s, v = found.U[index, :, triplet], found.S[index, triplet], found.Vh[index, triplet]
            right, left = (matrices[index] @ v - s * u).norm(), (matrices[index].T @ u - s * v).norm()
            # Residuals are differences of equal numbers: they agree in size, not in digits.
            assert abs(found.right_residuals[index, triplet] - right) < 1e-14
            assert abs(found.left_residuals[index, triplet] - left) < 1e-14
            both = (found.right_residuals[index, triplet] ** 2 + found.left_residuals[index, triplet] ** 2) ** 0.5 / s
            assert abs(found.relative_residuals[index, triplet] - both) < 1e-18
    assert found.relative_residuals.max() < 1e-13


def test_residuals_see_a_wrong_triplet():
    matrix, _, _ = planted(*WIDE, [2.0, 1.0])
    found = dense_svd(matrix, 2)
    wrong = replace(found, right_residuals=found.right_residuals + 0.3, left_residuals=found.left_residuals + 0.4)
    torch.testing.assert_close(wrong.relative_residuals, 0.5 / found.S, rtol=1e-12, atol=0)


def test_small_singular_values_survive():
    """generalizability.prop.14, the other side: without a Gram matrix 1e-9 of the largest is found."""
    matrix, _, V = planted(4, 30, [1.0, 1e-9])
    found = dense_svd(matrix, 2)
    assert abs(found.S[1] - 1e-9) < 1e-15
    assert largest_angle(V[:, 1:], found.Vh[1:].T) < 1e-6


def test_zero_matrix_has_zero_singular_values_and_orthonormal_vectors():
    found = dense_svd(torch.zeros(2, 3, 7))
    assert torch.equal(found.S, torch.zeros(2, 3, dtype=torch.float64))
    torch.testing.assert_close(found.U.mT @ found.U, torch.eye(3, dtype=torch.float64).expand(2, 3, 3), **CLOSE)
    assert torch.equal(found.relative_residuals, torch.zeros(2, 3, dtype=torch.float64))


NETWORKS = {
    "wide": (lambda: nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 7)), (1, 6, 6)),
    "tall": (lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 2, 3), nn.ReLU()), (1, 3, 4)),
    "square": (lambda: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.LeakyReLU()), (1, 3, 4)),
}


@pytest.fixture(params=NETWORKS)
def frozen(request):
    build, shape = NETWORKS[request.param]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return freeze(build().double().eval(), draw(5, *shape))


def test_batches_of_networks_of_every_shape(frozen):
    rows, columns = frozen.shape
    matrices = torch.stack([frozen[index].dense() for index in range(5)])
    torch.testing.assert_close(dense_matrices(frozen), matrices, **CLOSE)
    found = batched_svd(frozen)
    S = torch.linalg.svdvals(matrices)
    torch.testing.assert_close(found.S, S, rtol=1e-11, atol=1e-13)
    k = min(rows, columns)
    assert found.products == k
    torch.testing.assert_close(found.U * found.S.unsqueeze(1) @ found.Vh, matrices, rtol=1e-11, atol=1e-13)
    for index in range(5):
        alone = exact_svd(frozen[index], 2)
        torch.testing.assert_close(alone.S, S[index, :2], rtol=1e-11, atol=1e-13)


def test_a_batch_larger_than_a_block_of_products_is_the_same():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 30)).double()
    images = draw(3 * (VECTORS_AT_ONCE // 30) + 1, 1, 6, 6)
    frozen = freeze(model, images)
    matrices = torch.stack([frozen[index].T.dense().T for index in range(len(images))])
    torch.testing.assert_close(dense_matrices(frozen), matrices, **CLOSE)


@pytest.mark.parametrize("shape", [WIDE, TALL, SQUARE], ids=["wide", "tall", "square"])
def test_products_are_counted_as_an_outsider_counts_them(shape):
    counted = CountingOperator(MatrixOperator(draw(*shape)))
    found = exact_svd(counted, 3)
    assert found.products == counted.products == min(shape)
    assert found.solver == "exact"


def test_float32_network_gets_a_float64_decomposition_with_a_small_error():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = mnist_cnn().eval()
    images = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    found = batched_svd(freeze(model, images))
    assert {found.U.dtype, found.S.dtype, found.Vh.dtype} == {torch.float64}
    reference = batched_svd(freeze(model.double(), images.double()))
    # The matrix has rounding of float32; its decomposition has none on top.
    assert ((found.S - reference.S).abs() / reference.S[:, :1]).max() < 1e-5
    assert found.relative_residuals.max() < 1e-12
    identity = torch.eye(10, dtype=torch.float64).expand(3, 10, 10)
    torch.testing.assert_close(found.Vh @ found.Vh.mT, identity, **CLOSE)


@pytest.mark.parametrize("k", [0, -1, 7])
@pytest.mark.parametrize("solver", ["exact", "lanczos", "slepc cross", "scipy propack", "auto"])
def test_a_rank_out_of_range_is_refused(k, solver):
    with pytest.raises(RankError, match=rf"{k} singular triplets.*6 x 40.*k must be in 1\.\.6"):
        truncated_svd(MatrixOperator(draw(*WIDE)), k, solver=solver)


def test_a_rank_out_of_range_is_refused_for_batches():
    with pytest.raises(RankError, match=r"k must be in 1\.\.6"):
        dense_svd(draw(2, *WIDE), 7)
    assert issubclass(RankError, (SvdError, ValueError))


def test_two_large_sides_are_refused_with_the_way_out():
    class Huge(LinearOperator):
        def _matmat(self, vectors):
            raise AssertionError("no product may be asked for")

        _rmatmat = _matmat

    sides = (LARGEST_SIDE + 2,), (LARGEST_SIDE + 1,)
    with pytest.raises(SvdError, match=r"4097 x 4098.*lanczos"):
        exact_svd(Huge(*sides, torch.float64, torch.device("cpu")), 1)


def test_unknown_solver_is_refused():
    with pytest.raises(ValueError, match="unknown solver 'lanzcos'; expected 'auto', 'exact', 'lanczos'"):
        truncated_svd(MatrixOperator(draw(*WIDE)), 2, solver="lanzcos")


def test_auto_takes_the_exact_path_where_a_side_is_small():
    assert truncated_svd(MatrixOperator(draw(*WIDE)), 2).solver == "exact"
