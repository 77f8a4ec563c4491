"""Operators as such: products, transposes, compositions, counts, bridges, and the test of adjoints itself."""

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import svds

from paperlib.operators import (
    CountingOperator,
    LinearOperator,
    MatrixOperator,
    ShapeError,
    dot_test,
    to_petsc,
    to_scipy,
)

CLOSE = dict(rtol=1e-13, atol=1e-13)


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


class Scaled(LinearOperator):
    """Multiplication by two, with an adjoint by another factor."""

    def __init__(self, adjoint_factor: float, dtype: torch.dtype = torch.float64):
        super().__init__((2, 3), (2, 3), dtype, torch.device("cpu"))
        self.adjoint_factor = adjoint_factor

    def _matmat(self, vectors):
        return 2 * vectors

    def _rmatmat(self, vectors):
        return self.adjoint_factor * vectors


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_dot_test_passes_an_adjoint_and_fails_another_map(dtype, bound):
    assert dot_test(Scaled(2.0, dtype)) < bound
    assert dot_test(Scaled(2.0 + 1e-3, dtype)) > 1e-5
    assert dot_test(Scaled(-2.0, dtype)) > 0.1


def test_dot_test_of_the_zero_map_is_zero():
    assert dot_test(MatrixOperator(torch.zeros(3, 4))) == 0


def test_dot_test_is_reproducible():
    A = MatrixOperator(draw(5, 7, dtype=torch.float32))
    assert dot_test(A, seed=1) == dot_test(A, seed=1)


@pytest.mark.parametrize("shape", [(6, 12), (12, 6), (6, 6)])
def test_matrix_as_operator(shape):
    M = draw(*shape)
    A = MatrixOperator(M)
    assert A.shape == shape and A.T.shape == shape[::-1]
    assert A.T.T is A
    v, z = draw(shape[1], seed=1), draw(shape[0], seed=2)
    torch.testing.assert_close(A.matvec(v), M @ v, **CLOSE)
    torch.testing.assert_close(A.rmatvec(z), M.T @ z, **CLOSE)
    torch.testing.assert_close(A.T.matvec(z), M.T @ z, **CLOSE)
    torch.testing.assert_close(A.T.rmatvec(v), M @ v, **CLOSE)
    torch.testing.assert_close(A.dense(block=5), M, **CLOSE)
    torch.testing.assert_close(A.T.dense(), M.T, **CLOSE)


def test_spaces_are_shapes():
    M = draw(6, 12)
    A = MatrixOperator(M, domain_shape=(3, 4), range_shape=(2, 3))
    v = draw(5, 3, 4, seed=1)
    assert A.matmat(v).shape == (5, 2, 3)
    torch.testing.assert_close(A.matmat(v).flatten(1), v.flatten(1) @ M.T, **CLOSE)
    assert A.rmatvec(draw(2, 3)).shape == (3, 4)
    with pytest.raises(ShapeError, match="6 x 12"):
        MatrixOperator(M, domain_shape=(3, 5))
    with pytest.raises(ShapeError, match=r"matmat expects vectors of shape \(k, 3, 4\), got \(1, 12\)"):
        A.matvec(v[0].flatten())


def test_product_of_operators():
    A, B = MatrixOperator(draw(4, 6)), MatrixOperator(draw(6, 5, seed=1))
    torch.testing.assert_close((A @ B).dense(), A.matrix @ B.matrix, **CLOSE)
    torch.testing.assert_close((A @ B).T.dense(), (A.matrix @ B.matrix).T, **CLOSE)
    assert dot_test(A @ B) < 1e-12
    with pytest.raises(ShapeError, match="cannot compose"):
        B @ A
    with pytest.raises(ShapeError, match="float32"):
        A @ MatrixOperator(draw(6, 5, dtype=torch.float32))


def test_counts_of_products():
    counted = CountingOperator(MatrixOperator(draw(4, 6)))
    counted.matmat(draw(3, 6))
    counted.matvec(draw(6))
    counted.rmatmat(draw(2, 4))
    assert (counted.forward, counted.adjoint, counted.products) == (4, 2, 6)
    counted.T.matvec(draw(4))
    assert counted.adjoint == 3
    with pytest.raises(ShapeError):
        counted.matvec(draw(5))
    assert counted.products == 7


def test_wrong_dtype_is_refused():
    with pytest.raises(ShapeError, match="float32"):
        MatrixOperator(draw(4, 6)).matvec(draw(6, dtype=torch.float32))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bridge_to_scipy(dtype):
    M = draw(6, 12, dtype=dtype)
    A = to_scipy(MatrixOperator(M, domain_shape=(3, 4), range_shape=(6,)))
    assert A.dtype == M.numpy().dtype and A.shape == (6, 12)
    v, z, V = draw(12, seed=1).numpy(), draw(6, seed=2).numpy(), draw(12, 3, seed=3).numpy()
    # Sums of a dozen products in the operator's dtype.
    close = dict(rtol=1e-4, atol=1e-5) if dtype == torch.float32 else dict(rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(A.matvec(v), M.numpy() @ v, **close)
    np.testing.assert_allclose(A.rmatvec(z), M.numpy().T @ z, **close)
    np.testing.assert_allclose(A @ V, M.numpy() @ V, **close)
    np.testing.assert_allclose(A.rmatmat(V[:6]), M.numpy().T @ V[:6], **close)
    np.testing.assert_allclose(A.matvec(v[::-1]), M.numpy() @ v[::-1], **close)


def test_scipy_finds_the_singular_values_through_the_bridge():
    M = draw(8, 15)
    found = np.sort(svds(to_scipy(MatrixOperator(M)), k=3, return_singular_vectors=False))[::-1]
    np.testing.assert_allclose(found, torch.linalg.svdvals(M)[:3].numpy(), rtol=1e-10)


def test_bridge_to_petsc():
    M = draw(6, 12)
    matrix = to_petsc(MatrixOperator(M, domain_shape=(3, 4), range_shape=(2, 3)))
    right, left = matrix.createVecs()
    v, z = draw(12, seed=1), draw(6, seed=2)
    right.setArray(v.numpy())
    matrix.mult(right, left)
    np.testing.assert_allclose(left.getArray(), (M @ v).numpy(), rtol=1e-13, atol=1e-13)
    left.setArray(z.numpy())
    matrix.multTranspose(left, right)
    np.testing.assert_allclose(right.getArray(), (M.T @ z).numpy(), rtol=1e-13, atol=1e-13)
    assert matrix.getSize() == (6, 12)
