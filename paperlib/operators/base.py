"""Linear operators on torch tensors whose spaces are shapes, so that a volume stays a volume.

>>> import torch
>>> from paperlib.operators import MatrixOperator, dot_test
>>> A = MatrixOperator(torch.eye(3, 5, dtype=torch.float64))
>>> A.shape, A.matvec(torch.ones(5, dtype=torch.float64)).tolist()
((3, 5), [1.0, 1.0, 1.0])
>>> dot_test(A) < 1e-15
True
"""

from abc import ABC, abstractmethod
from math import prod

import torch
from torch import Tensor

from paperlib.operators.errors import ShapeError


class LinearOperator(ABC):
    """A linear map from tensors of ``domain_shape`` to tensors of ``range_shape``, never formed as a matrix.

    A subclass gives the block products ``_matmat`` and ``_rmatmat``, whose first axis counts the vectors; the rest
    follows. ``shape`` is that of the matrix on row-major flattened tensors.
    """

    def __init__(
        self,
        domain_shape: tuple[int, ...],
        range_shape: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
    ):
        self.domain_shape = tuple(domain_shape)
        self.range_shape = tuple(range_shape)
        self.dtype = dtype
        self.device = torch.device(device)

    @property
    def shape(self) -> tuple[int, int]:
        return prod(self.range_shape), prod(self.domain_shape)

    @property
    def T(self) -> "LinearOperator":
        """The adjoint as an operator."""
        return _Adjoint(self)

    @abstractmethod
    def _matmat(self, vectors: Tensor) -> Tensor:
        """``(k, *domain_shape)`` to ``(k, *range_shape)``."""

    @abstractmethod
    def _rmatmat(self, vectors: Tensor) -> Tensor:
        """``(k, *range_shape)`` to ``(k, *domain_shape)``."""

    def matmat(self, vectors: Tensor) -> Tensor:
        """``A v`` for each of k vectors: ``(k, *domain_shape)`` to ``(k, *range_shape)``; raises ``ShapeError``."""
        check_block(vectors, self.domain_shape, self.dtype, self.device, "matmat")
        return self._matmat(vectors)

    def rmatmat(self, vectors: Tensor) -> Tensor:
        """``A^T z`` for each of k vectors: ``(k, *range_shape)`` to ``(k, *domain_shape)``; raises ``ShapeError``."""
        check_block(vectors, self.range_shape, self.dtype, self.device, "rmatmat")
        return self._rmatmat(vectors)

    def matvec(self, vector: Tensor) -> Tensor:
        """``A v``: ``domain_shape`` to ``range_shape``; raises ``ShapeError``."""
        return self.matmat(vector.unsqueeze(0)).squeeze(0)

    def rmatvec(self, vector: Tensor) -> Tensor:
        """``A^T z``: ``range_shape`` to ``domain_shape``; raises ``ShapeError``."""
        return self.rmatmat(vector.unsqueeze(0)).squeeze(0)

    def __matmul__(self, other: "LinearOperator") -> "LinearOperator":
        return _Product(self, other)

    def dense(self, block: int = 256) -> Tensor:
        """The matrix ``(m, n)``, formed by products with the unit vectors of the smaller side, ``block`` at a time."""
        rows, columns = self.shape
        if rows <= columns:
            return _apply_to_identity(self.rmatmat, self.range_shape, self.dtype, self.device, block)
        return _apply_to_identity(self.matmat, self.domain_shape, self.dtype, self.device, block).T


class MatrixOperator(LinearOperator):
    """A dense matrix ``(m, n)`` as an operator; the spaces may be given as shapes of m and n elements."""

    def __init__(
        self,
        matrix: Tensor,
        domain_shape: tuple[int, ...] | None = None,
        range_shape: tuple[int, ...] | None = None,
    ):
        rows, columns = matrix.shape
        super().__init__(domain_shape or (columns,), range_shape or (rows,), matrix.dtype, matrix.device)
        if self.shape != (rows, columns):
            raise ShapeError(f"a {rows} x {columns} matrix does not map {self.domain_shape} to {self.range_shape}")
        self.matrix = matrix

    def _matmat(self, vectors: Tensor) -> Tensor:
        return (vectors.flatten(1) @ self.matrix.T).unflatten(1, self.range_shape)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        return (vectors.flatten(1) @ self.matrix).unflatten(1, self.domain_shape)


class CountingOperator(LinearOperator):
    """Another operator with a count of the vectors that it was applied to (``forward`` and ``adjoint``)."""

    def __init__(self, operator: LinearOperator):
        super().__init__(operator.domain_shape, operator.range_shape, operator.dtype, operator.device)
        self.operator = operator
        self.forward = 0
        self.adjoint = 0

    @property
    def products(self) -> int:
        return self.forward + self.adjoint

    def _matmat(self, vectors: Tensor) -> Tensor:
        self.forward += len(vectors)
        return self.operator.matmat(vectors)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        self.adjoint += len(vectors)
        return self.operator.rmatmat(vectors)


class _Adjoint(LinearOperator):
    def __init__(self, operator: LinearOperator):
        super().__init__(operator.range_shape, operator.domain_shape, operator.dtype, operator.device)
        self.operator = operator

    @property
    def T(self) -> LinearOperator:
        return self.operator

    def _matmat(self, vectors: Tensor) -> Tensor:
        return self.operator.rmatmat(vectors)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        return self.operator.matmat(vectors)


class _Product(LinearOperator):
    def __init__(self, left: LinearOperator, right: LinearOperator):
        if left.domain_shape != right.range_shape or left.dtype != right.dtype or left.device != right.device:
            raise ShapeError(
                f"cannot compose an operator on {left.domain_shape} ({left.dtype}, {left.device}) with one that "
                f"gives {right.range_shape} ({right.dtype}, {right.device})"
            )
        super().__init__(right.domain_shape, left.range_shape, left.dtype, left.device)
        self.left, self.right = left, right

    def _matmat(self, vectors: Tensor) -> Tensor:
        return self.left.matmat(self.right.matmat(vectors))

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        return self.right.rmatmat(self.left.rmatmat(vectors))


def check_block(
    vectors: Tensor,
    shape: tuple[int, ...],
    dtype: torch.dtype,
    device: torch.device,
    name: str,
    leading: int = 1,
) -> None:
    """Raise ``ShapeError`` unless ``vectors`` has ``shape`` behind its ``leading`` axes, and this dtype and device."""
    if vectors.dim() != len(shape) + leading or tuple(vectors.shape[leading:]) != tuple(shape):
        axes = ", ".join(("batch", "k")[-leading:])
        wanted = ", ".join(str(side) for side in shape)
        raise ShapeError(f"{name} expects vectors of shape ({axes}, {wanted}), got {tuple(vectors.shape)}")
    if vectors.dtype != dtype or vectors.device.type != device.type:
        raise ShapeError(f"{name} expects {dtype} on {device}, got {vectors.dtype} on {vectors.device}")


def _apply_to_identity(product, shape: tuple[int, ...], dtype, device, block: int) -> Tensor:
    size = prod(shape)
    identity = torch.eye(size, dtype=dtype, device=device).unflatten(1, shape)
    return torch.cat([product(part).flatten(1) for part in identity.split(block)])
