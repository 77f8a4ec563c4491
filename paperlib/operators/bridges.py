"""Operators for other libraries: SciPy's ``LinearOperator`` and PETSc's shell matrix, on flattened float vectors."""

from types import ModuleType

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator as ScipyOperator

from paperlib.operators.base import LinearOperator


def to_scipy(operator: LinearOperator, dtype: type[np.floating] | None = None) -> ScipyOperator:
    """The operator for ``scipy.sparse.linalg``, on row-major flattened vectors.

    ``dtype`` is that of SciPy's vectors, by default the operator's own; the products run in the operator's.
    """
    dtype = np.dtype(dtype or _numpy_dtype(operator))

    def one(product, shape):
        return lambda vector: _apply(product, shape, operator, vector.reshape(-1)).astype(dtype, copy=False)

    def block(product, shape):
        return lambda columns: _apply_columns(product, shape, operator, columns).astype(dtype, copy=False)

    return ScipyOperator(
        operator.shape,
        matvec=one(operator.matmat, operator.domain_shape),
        rmatvec=one(operator.rmatmat, operator.range_shape),
        matmat=block(operator.matmat, operator.domain_shape),
        rmatmat=block(operator.rmatmat, operator.range_shape),
        dtype=dtype,
    )


def import_petsc() -> ModuleType:
    """The module ``petsc4py.PETSc``, begun without its signal handlers; raises ``ImportError`` where it is missing.

    With them PETSc would end the process at a broken pipe, such as one to a worker that was killed, where Python raises
    an error that can be dealt with. Nothing changes where the caller has begun PETSc before.
    """
    import petsc4py

    petsc4py.init(["paperlib", "-no_signal_handler"])
    from petsc4py import PETSc

    return PETSc


def to_petsc(operator: LinearOperator):
    """The operator as a PETSc shell matrix (real double precision) with ``mult`` and ``multTranspose``.

    Needs petsc4py; the products themselves run in the operator's dtype and on its device.
    """
    petsc = import_petsc()
    matrix = petsc.Mat().createPython(operator.shape, _ShellContext(operator), comm=petsc.COMM_SELF)
    matrix.setUp()
    return matrix


class _ShellContext:
    def __init__(self, operator: LinearOperator):
        self.operator = operator

    def mult(self, _matrix, x, y) -> None:
        self._into(y, self.operator.matmat, self.operator.domain_shape, x)

    def multTranspose(self, _matrix, x, y) -> None:
        self._into(y, self.operator.rmatmat, self.operator.range_shape, x)

    def _into(self, y, product, shape: tuple[int, ...], x) -> None:
        # Straight into PETSc's memory, which converts the numbers on the way.
        y.getArray()[...] = _apply(product, shape, self.operator, x.getArray(readonly=True))


def _apply(product, shape: tuple[int, ...], operator: LinearOperator, vector: np.ndarray) -> np.ndarray:
    # A copy, because the solver may hand out a read-only or strided view of its own memory, which torch refuses; it is
    # also the conversion to the operator's dtype.
    block = torch.from_numpy(np.array(vector, dtype=_numpy_dtype(operator))).view(1, *shape).to(operator.device)
    return product(block).reshape(-1).cpu().numpy()


def _apply_columns(product, shape: tuple[int, ...], operator: LinearOperator, columns: np.ndarray) -> np.ndarray:
    block = torch.from_numpy(np.array(columns.T, dtype=_numpy_dtype(operator), order="C")).view(-1, *shape)
    return product(block.to(operator.device)).flatten(1).T.cpu().numpy()


def _numpy_dtype(operator: LinearOperator) -> np.dtype:
    return torch.empty(0, dtype=operator.dtype).numpy().dtype
