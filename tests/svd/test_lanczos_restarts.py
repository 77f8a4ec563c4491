"""Counts of products, restarts of a small basis, copies of repeated values, and the memory that is stated."""

import numpy as np
import pytest
import torch
from planted_support import assert_orthonormal, assert_planted, planted
from svd_support import draw, largest_angle
from torch.profiler import ProfilerActivity, profile

from paperlib.operators import LinearOperator, MatrixOperator
from paperlib.svd import Lanczos, Slepc, SvdError, inner, lanczos_svd, slepc_svd
from paperlib.svd.bidiagonal import Bidiagonalisation
from paperlib.svd.lanczos import lanczos_memory

DTYPES = [torch.float32, torch.float64]
CPU = torch.device("cpu")


class _Diagonal(LinearOperator):
    """Large enough for slow spectra, and as hard for a random start as any matrix with these singular values."""

    def __init__(self, values):
        super().__init__(values.shape, values.shape, values.dtype, CPU)
        self.values = values

    def _matmat(self, vectors):
        return vectors * self.values

    _rmatmat = _matmat


def slow(name: str, count: int = 800) -> torch.Tensor:
    index = torch.arange(count, dtype=torch.float64)
    return {
        "flat": 1 - 0.5 * index / count,
        "clustered": torch.cat([1 + 1e-3 * index[:5], 0.9 + 1e-3 * index[:10], 0.8 - 0.7 * index[15:] / count]),
        "root": (1 + index) ** -0.5,
        "geometric": 0.98**index,
    }[name]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block_size", [1, 3])
@pytest.mark.parametrize("kind", ["flat", "clustered", "geometric"])
def test_restarts_of_the_smallest_basis_find_the_same_triplets(kind, block_size, dtype):
    operator, U, S, V = planted(kind, dtype)
    smallest = Lanczos(block_size, basis_size=6 + 2 * block_size)
    found = lanczos_svd(operator, 6, smallest)
    assert_planted(found, U, S, V, tol=1e-4)
    # Each of up to some hundred restarts rotates the bases once more.
    assert_orthonormal(found, units=200)
    # One product with each of A and A^T for a vector of the basis: more were restarts.
    assert found.products > 2 * smallest.basis_size
    assert found.products > lanczos_svd(operator, 6, Lanczos(block_size)).products


@pytest.mark.parametrize("name", ["flat", "clustered", "root", "geometric"])
def test_no_more_products_than_without_restarts_where_the_basis_is_large(name):
    operator = _Diagonal(slow(name))
    whole = lanczos_svd(operator, 10, Lanczos(basis_size=800)).products
    # A twentieth, and the products between two looks.
    assert lanczos_svd(operator, 10).products <= 1.05 * whole + 4


class _SameStart:
    """Lets SLEPc start from the vector that our solver draws."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def standard_normal(self, size):
        return torch.randn(size, dtype=torch.float64, generator=self.generator).numpy()


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["flat", "clustered", "root", "geometric"])
def test_fewer_products_than_slepc_cross_from_the_same_start(name, seed, monkeypatch):
    monkeypatch.setattr(np.random, "default_rng", _SameStart)
    operator = _Diagonal(slow(name))
    ours = lanczos_svd(operator, 10, seed=seed)
    assert ours.products < slepc_svd(operator, 10, Slepc("cross"), tol=1e-4, seed=seed).products
    assert ours.relative_residuals.max() <= 1e-4


def test_convergence_is_looked_at_between_restarts():
    """Products that one less would not have been enough for: a step, and no more, before the end."""
    reported = []
    operator = _Diagonal(slow("root"))
    found = lanczos_svd(operator, 10, report=lambda products, residuals: reported.append((products, residuals.max())))
    looks = [products for products, _ in reported]
    assert set(torch.tensor(looks).diff().tolist()) <= {1, 2, 3, 4} and looks[-1] == found.products
    assert reported[-2][1] > 1e-4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 3])
def test_relations_and_orthonormality_survive_restarts(width, dtype):
    matrix = draw(80, 50)
    process = Bidiagonalisation(MatrixOperator(matrix.to(dtype)), 20, width, CPU, seed=0)
    process.add_random(width)
    close = 100 * torch.finfo(dtype).eps * matrix.norm()
    for _ in range(60):
        if not process.room(process.waiting):
            process.restart(process.ritz(), 8)
        process.advance()
        P, Q = process.right.vectors.double(), process.left.vectors.double()
        H = process.H[: len(Q), : len(P)]
        for basis in (P, Q):
            assert (basis @ basis.T - torch.eye(len(basis))).abs().max() < 50 * torch.finfo(dtype).eps
        multiplied = len(P) - process.waiting if process.on_right else len(P)
        assert (matrix @ P[:multiplied].T - Q.T @ H[:, :multiplied]).norm() < close
        multiplied = len(Q) if process.on_right else len(Q) - process.waiting
        assert (matrix.T @ Q[:multiplied].T - P.T @ H[:multiplied].T).norm() < close
    assert process.products == 60 * width


def test_a_block_finds_copies_at_once_and_a_guard_finds_those_of_a_single_vector():
    values = torch.cat([torch.tensor([1.0, 1, 0.95, 0.9, 0.85]), torch.linspace(0.6, 0.1, 300)]).double()
    operator = _Diagonal(values)
    single, block, guarded = (
        lanczos_svd(operator, 4, settings) for settings in (Lanczos(), Lanczos(block_size=2), Lanczos(guard_steps=8))
    )
    torch.testing.assert_close(single.S, values[1:5], rtol=1e-7, atol=0)
    for found in (block, guarded):
        torch.testing.assert_close(found.S, values[:4], rtol=1e-7, atol=0)
        # Within the tolerance over the gap to the next value.
        assert largest_angle(torch.eye(305, 2, dtype=torch.float64), found.Vh[:2].T) < 1e-4 / 0.05


def test_a_guard_costs_its_steps_where_nothing_is_missing():
    operator = _Diagonal(slow("geometric"))
    plain, guarded = lanczos_svd(operator, 10), lanczos_svd(operator, 10, Lanczos(guard_steps=5))
    # The chain itself goes on: five steps of two vectors, each with A and A^T, and the way to the next look.
    assert plain.products + 20 <= guarded.products <= plain.products + 30
    torch.testing.assert_close(guarded.S, plain.S, rtol=1e-7, atol=0)


def test_targets_get_smaller_where_the_recurrence_was_too_good():
    """An operator whose adjoint is off by 6e-5: the recurrence cannot see it, the true residuals can."""

    class Skewed(MatrixOperator):
        def _rmatmat(self, vectors):
            return super()._rmatmat(vectors) * (1 + 6e-5)

    operator = Skewed(planted("geometric", shape=(200, 150))[0].matrix)
    found = lanczos_svd(operator, 4)
    assert found.converged and found.relative_residuals.max() <= 1e-4
    with pytest.raises(SvdError, match=r"is A\^T the adjoint of A"):
        lanczos_svd(operator, 4, tol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings", [Lanczos(basis_size=20), Lanczos(4, basis_size=40), Lanczos()], ids=repr)
@pytest.mark.parametrize("shape", [(15_000, 10_000), (5_000, 30_000)], ids=["tall", "wide"])
def test_stated_memory_is_the_memory_taken(shape, settings, dtype, monkeypatch):
    # As small beside the vectors as they are beside those of a volume.
    monkeypatch.setitem(inner._PIECE, "cpu", 2**15)
    operator = _Banded(shape, dtype)
    peak = _peak_memory(lambda: lanczos_svd(operator, 5, settings, tol=1e-2))
    stated = lanczos_memory(shape, 5, settings, dtype)
    # It is stated for residuals that have to be computed one by one, which these need not be.
    assert 0.75 * stated < peak <= stated


class _Banded(LinearOperator):
    """A rectangular diagonal matrix, whose products take no memory but their result."""

    def __init__(self, shape, dtype):
        super().__init__(shape[1:], shape[:1], dtype, CPU)
        self.values = 0.8 ** torch.arange(min(shape), dtype=dtype)

    def _matmat(self, vectors):
        return self._scaled(vectors, *self.range_shape)

    def _rmatmat(self, vectors):
        return self._scaled(vectors, *self.domain_shape)

    def _scaled(self, vectors, size):
        out = torch.zeros(len(vectors), size, dtype=self.dtype)
        common = len(self.values)
        torch.mul(vectors[:, :common], self.values, out=out[:, :common])
        return out


def _peak_memory(work) -> int:
    """Most bytes of tensors that were alive at a time, by the events of torch's allocator."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as profiler:
        work()
    live = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak
