"""Operators for other libraries: SciPy's ``LinearOperator`` and PETSc's shell matrix, on flattened float vectors."""

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator as ScipyOperator

from paperlib.operators.base import LinearOperator


def to_scipy(operator: LinearOperator) -> ScipyOperator:
    """The operator for ``scipy.sparse.linalg``, on row-major flattened vectors in the operator's own dtype."""
    dtype = torch.empty(0, dtype=operator.dtype).numpy().dtype
    return ScipyOperator(
        operator.shape,
        matvec=lambda v: _apply(operator.matmat, operator.domain_shape, operator, v),
        rmatvec=lambda z: _apply(operator.rmatmat, operator.range_shape, operator, z),
        matmat=lambda v: _apply_columns(operator.matmat, operator.domain_shape, operator, v),
        rmatmat=lambda z: _apply_columns(operator.rmatmat, operator.range_shape, operator, z),
        dtype=dtype,
    )


def to_petsc(operator: LinearOperator):
    """The operator as a PETSc shell matrix (real double precision) with ``mult`` and ``multTranspose``.

    Needs petsc4py; the products themselves run in the operator's dtype and on its device.
    """
    from petsc4py import PETSc

    matrix = PETSc.Mat().createPython(operator.shape, _ShellContext(operator), comm=PETSc.COMM_SELF)
    matrix.setUp()
    return matrix


class _ShellContext:
    def __init__(self, operator: LinearOperator):
        self.operator = operator

    def mult(self, _matrix, x, y) -> None:
        y.setArray(_apply(self.operator.matmat, self.operator.domain_shape, self.operator, x.getArray(readonly=True)))

    def multTranspose(self, _matrix, x, y) -> None:
        y.setArray(_apply(self.operator.rmatmat, self.operator.range_shape, self.operator, x.getArray(readonly=True)))


def _apply(product, shape: tuple[int, ...], operator: LinearOperator, vector: np.ndarray) -> np.ndarray:
    # A copy, because the solver may hand out a read-only or strided view of its own memory, which torch refuses.
    block = torch.from_numpy(np.array(vector).reshape(1, *shape)).to(dtype=operator.dtype, device=operator.device)
    return product(block).reshape(-1).cpu().numpy()


def _apply_columns(product, shape: tuple[int, ...], operator: LinearOperator, columns: np.ndarray) -> np.ndarray:
    block = torch.from_numpy(np.array(columns.T, order="C").reshape(-1, *shape))
    return product(block.to(dtype=operator.dtype, device=operator.device)).flatten(1).T.cpu().numpy()
