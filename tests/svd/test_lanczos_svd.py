"""Our Lanczos solver finds planted triplets, of one vector and of blocks, and says where it cannot."""

import pytest
import torch
from planted_support import KINDS, MULTIPLICITY, RANK, assert_orthonormal, assert_planted, planted
from svd_support import draw

from paperlib.models import unet
from paperlib.operators import CountingOperator, LinearOperator, MatrixOperator, freeze
from paperlib.svd import Lanczos, NotConvergedError, RankError, SvdError, exact_svd, lanczos_svd, residuals

DTYPES = [torch.float32, torch.float64]
SHAPES = {"tall": (90, 60), "wide": (60, 90), "square": (64, 64)}


# One start vector sees one copy of a repeated value: see test_lanczos_restarts.py.
CASES = [(kind, size) for kind in KINDS for size in (1, MULTIPLICITY) if (kind, size) != ("repeated", 1)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(("kind", "block_size"), CASES)
def test_planted_triplets_are_found(kind, block_size, shape, dtype):
    operator, U, S, V = planted(kind, dtype, shape)
    counted = CountingOperator(operator)
    found = lanczos_svd(counted, 8, Lanczos(block_size), tol=1e-4)
    assert_planted(found, U, S, V, tol=1e-4)
    assert_orthonormal(found)
    # One product on either side confirms the residuals; where rounding shows, two for each triplet follow.
    assert counted.products - found.products in (2, 2 + 2 * 8)
    assert found.U.dtype == found.Vh.dtype == found.dtype == dtype and found.S.dtype == torch.float64
    assert found.solver == ("lanczos" if block_size == 1 else "block lanczos")
    assert (found.Vh.gather(1, found.Vh.abs().argmax(1, keepdim=True)) > 0).all()


@pytest.mark.parametrize("block_size", [1, 3])
def test_a_small_tolerance_is_reached_in_float64(block_size):
    operator, U, S, V = planted("geometric")
    found = lanczos_svd(operator, 8, Lanczos(block_size), tol=1e-12)
    assert_planted(found, U, S, V, tol=1e-12)
    matrix = operator.matrix
    right = (matrix @ found.Vh.T - found.U * found.S).norm(dim=0)
    left = (matrix.T @ found.U - found.Vh.T * found.S).norm(dim=0)
    # What a product of all triplets together shows of rounding is charged to each: at most the sum of all of theirs.
    rounding = 1e-14
    for told, true in ((found.right_residuals, right), (found.left_residuals, left)):
        assert (told >= 0.5 * true - rounding).all() and (told <= 1.01 * true + rounding).all()


def test_residuals_by_one_product_are_those_of_each_triplet():
    """In float32, where rounding is a tenth of the tolerance: no residual is told smaller than it is."""
    for seed in range(5):
        operator, *_ = planted("geometric", torch.float32, (150, 120), seed=seed)
        counted = CountingOperator(operator)
        found = lanczos_svd(counted, 6, tol=1e-4, seed=seed)
        assert counted.products == found.products + 2
        right, left = residuals(operator, found.U, found.S, found.Vh)
        true = torch.hypot(right, left) / found.S
        # Twice the rounding of all together: they may cancel in a random combination.
        assert (found.relative_residuals >= true - 2e-6).all()
        assert (found.relative_residuals <= true + 2e-5).all()


@pytest.mark.parametrize("block_size", [1, 2])
def test_a_network_on_volumes_agrees_with_its_dense_matrix(block_size):
    model = unet(2, 3, depth=2, filters=4, spatial_dims=3).double().requires_grad_(False)
    frozen = freeze(model, draw(1, 2, 4, 4, 4))[0]
    found, exact = lanczos_svd(frozen, 5, Lanczos(block_size), tol=1e-9), exact_svd(frozen, 5)
    torch.testing.assert_close(found.S, exact.S, rtol=1e-12, atol=0)
    torch.testing.assert_close(found.U, exact.U, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.Vh, exact.Vh, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block_size", [1, 3])
@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (1, 1), (12, 12), (7, 20), (20, 7)], ids=str)
def test_all_singular_values(shape, block_size, dtype):
    matrix = draw(*shape, seed=3)
    k = min(shape)
    found = lanczos_svd(MatrixOperator(matrix.to(dtype)), k, Lanczos(block_size))
    close = 20 * torch.finfo(dtype).eps
    torch.testing.assert_close(found.S, torch.linalg.svdvals(matrix), rtol=0, atol=close * found.S[0].item())
    assert_orthonormal(found)
    # The whole smaller space: one product with A and one with A^T for each of its dimensions.
    assert found.products <= 2 * k


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block_size", [1, 3])
@pytest.mark.parametrize("k", [RANK - 4, RANK, RANK + 1, RANK + 5])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_k_below_at_and_above_the_rank(shape, k, block_size, dtype):
    operator, _, S, _ = planted("rank_deficient", dtype, shape)
    found = lanczos_svd(operator, k, Lanczos(block_size))
    rounding = 100 * torch.finfo(dtype).eps
    assert found.converged
    assert_orthonormal(found)
    assert (found.S - S[:k]).abs().max() < 1e-4**2 / 0.05 + rounding
    # A value of zero has no relative residual; its own is that of rounding.
    assert torch.hypot(found.right_residuals, found.left_residuals)[RANK:].lt(rounding).all()
    # The rank exhausts the operator: blocks of 3, and a random direction for proof.
    assert found.products <= 2 * (RANK + 3) + 3 + (0 if dtype == torch.float64 else 12)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_zero_operator_costs_one_product(shape):
    found = lanczos_svd(MatrixOperator(torch.zeros(shape)), 3)
    assert torch.equal(found.S, torch.zeros(3, dtype=torch.float64)) and found.products == 1 and found.converged
    assert_orthonormal(found)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("values", [[2.0] * 9, [3, 3, 3, 1, 1, 1, 1], [5, 3, 3, 0, 0, 0], [1, 1e-3, 1e-3, 0]], ids=str)
def test_few_distinct_values_exhaust_a_space_and_random_directions_find_the_copies(values, dtype):
    matrix = torch.diag(torch.tensor(values, dtype=dtype))
    for k in range(1, len(values) + 1):
        found = lanczos_svd(MatrixOperator(matrix), k)
        expected = torch.tensor(values, dtype=torch.float64)[:k]
        torch.testing.assert_close(found.S, expected, rtol=0, atol=1e-6 * values[0])
        assert_orthonormal(found)


def test_one_seed_is_one_result_and_another_seed_another_start():
    operator, *_ = planted("flat", torch.float32)
    first, again, other = (lanczos_svd(operator, 5, seed=seed) for seed in (1, 1, 2))
    for name in ("U", "S", "Vh", "right_residuals", "left_residuals"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    assert not torch.equal(first.Vh, other.Vh)


class _Recorded(MatrixOperator):
    """Keeps its first input."""

    first = None

    def _matmat(self, vectors):
        self.first = vectors.clone() if self.first is None else self.first
        return super()._matmat(vectors)


@pytest.mark.parametrize("shape", [(50, 40), (40, 50)], ids=["tall", "wide"])
def test_the_start_is_drawn_for_the_smaller_side_alike_in_both_dtypes(shape):
    starts = []
    for dtype in DTYPES:
        operator = _Recorded(draw(50, 40).to(dtype))
        lanczos_svd(operator if shape == (50, 40) else operator.T, 2, seed=5)
        starts.append(operator.first.double())
    assert starts[0].shape == (1, 40)
    torch.testing.assert_close(*starts, rtol=0, atol=1e-7)


class _Identity(LinearOperator):
    """Gives its input, not a copy of it."""

    def _matmat(self, vectors):
        return vectors

    _rmatmat = _matmat


def test_an_operator_may_return_its_input():
    found = lanczos_svd(_Identity((9,), (9,), torch.float64, torch.device("cpu")), 3)
    torch.testing.assert_close(found.S, torch.ones(3, dtype=torch.float64))
    assert_orthonormal(found)


class _Breaking(MatrixOperator):
    """Its products turn to NaN or infinity at some point."""

    def __init__(self, matrix, behind, bad, adjoint):
        super().__init__(matrix)
        self.left, self.bad, self.adjoint = behind, bad, adjoint

    def _spoilt(self, block, here):
        self.left -= 1
        return block * self.bad if here and self.left < 0 else block

    def _matmat(self, vectors):
        return self._spoilt(super()._matmat(vectors), not self.adjoint)

    def _rmatmat(self, vectors):
        return self._spoilt(super()._rmatmat(vectors), self.adjoint)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("behind", [0, 7])
def test_nan_and_infinity_are_an_error_at_once(bad, adjoint, behind):
    operator = CountingOperator(_Breaking(draw(30, 20), behind, bad, adjoint))
    with pytest.raises(SvdError, match=r"product \d+ with A(\^T)? gave NaN or infinity"):
        lanczos_svd(operator, 5)
    assert operator.products <= behind + 2


def test_too_few_products_give_the_best_triplets_so_far():
    operator, _, S, _ = planted("flat", shape=(90, 60))
    with pytest.raises(NotConvergedError, match=r"lanczos has not found 5 .*within 41 products.*raise") as caught:
        lanczos_svd(operator, 5, Lanczos(max_products=41))
    found = caught.value.triplets
    assert not found.converged and found.products == 41 and found.U.shape == (90, 5) and found.Vh.shape == (5, 60)
    # The best of a space of 20 dimensions: not there yet, but none far off.
    assert 1e-4 < found.relative_residuals.max() < 0.1
    assert ((S[:5] - found.S) / S[:5]).max() < 0.05


@pytest.mark.parametrize("products", [1, 2, 3, 6])
def test_fewer_products_than_triplets_give_fewer(products):
    operator, *_ = planted("flat")
    with pytest.raises(NotConvergedError, match=rf"{products // 2} so far") as caught:
        lanczos_svd(operator, 5, Lanczos(max_products=products))
    found = caught.value.triplets
    assert found.S.shape == (products // 2,) and found.U.shape == (60, products // 2) and not found.converged


def test_float32_says_that_rounding_is_the_cause():
    operator, *_ = planted("geometric", torch.float32)
    with pytest.raises(
        NotConvergedError, match=r"converged to 1e-08.*rounding in torch.float32.*use float64"
    ) as caught:
        lanczos_svd(operator, 5, tol=1e-8)
    assert caught.value.triplets.relative_residuals.max() < 1e-5 and not caught.value.triplets.converged


def test_residuals_are_reported_as_they_fall():
    seen = []
    operator, *_ = planted("geometric")
    found = lanczos_svd(operator, 5, report=lambda products, residuals: seen.append((products, residuals)))
    products, residuals = zip(*seen, strict=True)
    assert list(products) == sorted(products) and products[-1] == found.products
    assert residuals[-1].shape == (5,) and residuals[-1].max() < 1e-4 < residuals[-2].max()
    # By the recurrence, which is exact but for rounding.
    torch.testing.assert_close(residuals[-1], found.relative_residuals, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("k", [0, 41])
def test_a_rank_out_of_range_is_refused(k):
    with pytest.raises(RankError, match=rf"{k} singular triplets.*60 x 40"):
        lanczos_svd(planted("flat")[0], k)


@pytest.mark.parametrize(
    "setting", [dict(block_size=0), dict(basis_size=0), dict(max_products=0), dict(guard_steps=-1)]
)
def test_settings_out_of_range_are_refused(setting):
    (name,) = setting
    with pytest.raises(ValueError, match=rf"{name}=.*must be at least"):
        Lanczos(**setting)


def test_a_basis_too_small_for_k_is_refused():
    with pytest.raises(ValueError, match=r"a basis of 11 vectors is too small for 8.*at least 12"):
        lanczos_svd(planted("flat")[0], 8, Lanczos(2, basis_size=11))
