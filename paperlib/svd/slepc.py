"""SLEPc's singular value solvers on a matrix that is never formed (the solver of `generalizability`, Section 2.2)."""

from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from paperlib.operators import CountingOperator, LinearOperator, to_petsc
from paperlib.operators.bridges import import_petsc
from paperlib.svd.errors import NotConvergedError, SolverUnavailableError, check_rank
from paperlib.svd.residuals import with_residuals
from paperlib.svd.triplets import SingularTriplets

KINDS = ("cross", "trlanczos", "cyclic", "randomized")

# PETSC_ERR_FP of petscerror.h.
_FLOATING_POINT_EXCEPTION = 72


@dataclass(frozen=True)
class Slepc:
    """Settings of a SLEPc solver.

    ``kind`` is SLEPc's name of the method. The paper's is ``cross``, an eigenproblem of the cross product of the
    matrix with itself by Krylov-Schur, which loses singular values below about 1e-8 of the largest; ``trlanczos`` is
    thick-restart Lanczos bidiagonalisation, ``cyclic`` an eigenproblem of the matrix of both sides, ``randomized``
    subspace iteration from a random block. ``basis_size`` is SLEPc's ncv, by default the larger of 2 k and k + 15.
    """

    kind: str = "cross"
    basis_size: int | None = None
    max_iterations: int = 1000

    @property
    def name(self) -> str:
        return f"slepc {self.kind}"

    def size(self, k: int) -> int:
        """Vectors of the basis for k triplets."""
        return self.basis_size or max(2 * k, k + 15)


def slepc_svd(
    operator: LinearOperator, k: int, settings: Slepc | None = None, *, tol: float = 1e-4, seed: int = 0
) -> SingularTriplets:
    """The k largest singular triplets of an operator by SLEPc, which stops where it believes that they reach ``tol``.

    Vectors are double precision, whatever the operator's dtype. Raises ``RankError`` for a k out of range,
    ``NotConvergedError`` (with the triplets found) where SLEPc gave up, ``SolverUnavailableError`` where slepc4py is
    not installed.
    """
    settings = settings or Slepc()
    check_rank(k, operator.shape)
    slepc = _import_slepc()
    counted = CountingOperator(operator)
    solver = _prepare(slepc, counted, k, settings, tol, seed)
    broken = _solve(solver)
    found = 0 if broken else min(k, solver.getConverged())
    U, S, Vh = _collect(solver, found, operator.shape)
    reason = broken or f"reason {solver.getConvergedReason()}"
    solver.destroy()
    # Behind the triplets, because `cross` computes the left vectors only when they are asked for.
    products = counted.products
    triplets = with_residuals(operator, U, S, Vh, products=products, solver=settings.name, tol=tol)
    if found < k:
        raise NotConvergedError(
            f"SLEPc {settings.kind} found {found} of {k} singular triplets to a relative residual of {tol:g} "
            f"({reason}); raise max_iterations or tol, or ask for fewer",
            replace(triplets, converged=False),
        )
    return triplets


def slepc_available() -> bool:
    """Whether slepc4py can be imported."""
    try:
        _import_slepc()
    except SolverUnavailableError:
        return False
    return True


def _import_slepc() -> ModuleType:
    try:
        import_petsc()
        from slepc4py import SLEPc
    except ImportError as error:
        raise SolverUnavailableError(
            "slepc4py is not installed. 'make environment' in the repository builds it (without SLEPC=0), conda "
            "installs it by 'conda install -c conda-forge slepc4py'; solvers 'lanczos' and 'exact' need neither"
        ) from error
    return SLEPc


def _prepare(slepc: ModuleType, operator: LinearOperator, k: int, settings: Slepc, tol: float, seed: int):
    matrix = to_petsc(operator)
    solver = slepc.SVD().create(comm=matrix.getComm())
    solver.setOperators(matrix)
    solver.setType(settings.kind)
    # The shell matrix has its own transposed product, so no explicit transpose may be formed.
    solver.setImplicitTranspose(True)
    solver.setDimensions(nsv=k, ncv=settings.basis_size)
    solver.setTolerances(tol=tol, max_it=settings.max_iterations)
    solver.setConvergenceTest(slepc.SVD.Conv.REL)
    right, left = matrix.createVecs()
    generator = np.random.default_rng(seed)
    for vector in (right, left):
        vector.setArray(generator.standard_normal(vector.getLocalSize()))
    solver.setInitialSpace([right], [left])
    solver.setUp()
    return solver


def _solve(solver) -> str:
    """Run a solver; what broke its arithmetic in words, or nothing."""
    try:
        solver.solve()
    except (RuntimeError, SystemError) as error:
        # petsc4py's own error, or Python's complaint that a C function returned with that error set.
        petsc = error.__cause__ if isinstance(error, SystemError) else error
        if getattr(petsc, "ierr", None) != _FLOATING_POINT_EXCEPTION:
            raise
        return "its arithmetic broke down: a cross product of a singular matrix can have negative eigenvalues"
    return ""


def _collect(solver, found: int, shape: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """``U`` ``(m, found)``, ``S`` and ``Vh``; the vectors of PETSc lie in the memory of the tensors."""
    rows, columns = shape
    left = torch.empty(found, rows, dtype=torch.float64)
    right = torch.empty(found, columns, dtype=torch.float64)
    S = torch.empty(found, dtype=torch.float64)
    u, v = (vector.duplicate() for vector in reversed(solver.getOperators()[0].createVecs()))
    for index in range(found):
        for vector, row in ((u, left[index]), (v, right[index])):
            vector.placeArray(row.numpy())
        S[index] = solver.getSingularTriplet(index, u, v)
        for vector in (u, v):
            vector.resetArray()
    return left.T, S, right
