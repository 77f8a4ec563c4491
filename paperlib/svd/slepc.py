"""SLEPc's singular value solvers on a matrix that is never formed (the solver of `generalizability`, Section 2.2)."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from paperlib.operators import CountingOperator, LinearOperator, to_petsc
from paperlib.svd.triplets import NotConvergedError, SingularTriplets, SolverUnavailableError, check_rank, with_signs

# PETSC_ERR_FP of petscerror.h.
_FLOATING_POINT_EXCEPTION = 72


@dataclass(frozen=True)
class Slepc:
    """Settings of a SLEPc solver.

    ``kind`` is SLEPc's name of the method; the paper's is ``cross``, an eigenproblem of the cross product of the
    matrix with itself by Krylov-Schur, which loses singular values below about 1e-8 of the largest. ``tolerance``
    bounds the two-sided residual relative to the singular value (the paper: 1e-5 for MNIST, 1e-4 for MRI).
    ``seed`` draws the start vector.
    """

    kind: str = "cross"
    tolerance: float = 1e-5
    max_iterations: int = 1000
    seed: int = 0


def slepc_svd(operator: LinearOperator, k: int, settings: Slepc | None = None) -> SingularTriplets:
    """The k largest singular triplets of an operator by SLEPc.

    Raises ``RankError`` for a k out of range, ``NotConvergedError`` (with the triplets found) where the tolerance was
    not reached, ``SolverUnavailableError`` where slepc4py is not installed.
    """
    settings = settings or Slepc()
    check_rank(k, operator.shape)
    slepc = _import_slepc()
    counted = CountingOperator(operator)
    solver = _prepare(slepc, counted, k, settings)
    broken = _solve(solver)
    found = 0 if broken else min(k, solver.getConverged())
    triplets = _collect(solver, counted, found, settings)
    reason = broken or f"reason {solver.getConvergedReason()}"
    solver.destroy()
    if found < k:
        raise NotConvergedError(
            f"SLEPc {settings.kind} found {found} of {k} singular triplets to a relative residual of "
            f"{settings.tolerance:g} ({reason}); raise max_iterations or the tolerance, or ask for fewer",
            triplets,
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
        from slepc4py import SLEPc
    except ImportError as error:
        raise SolverUnavailableError(
            "slepc4py is not installed. 'make environment' in the repository builds it (without SLEPC=0), conda "
            "installs it by 'conda install -c conda-forge slepc4py'; solver 'exact' needs neither"
        ) from error
    return SLEPc


def _prepare(slepc: ModuleType, operator: LinearOperator, k: int, settings: Slepc):
    matrix = to_petsc(operator)
    solver = slepc.SVD().create(comm=matrix.getComm())
    solver.setOperators(matrix)
    solver.setType(settings.kind)
    # The shell matrix has its own transposed product, so no explicit transpose may be formed.
    solver.setImplicitTranspose(True)
    solver.setDimensions(nsv=k)
    solver.setTolerances(tol=settings.tolerance, max_it=settings.max_iterations)
    solver.setConvergenceTest(slepc.SVD.Conv.REL)
    right, left = matrix.createVecs()
    generator = np.random.default_rng(settings.seed)
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


def _collect(solver, operator: CountingOperator, found: int, settings: Slepc) -> SingularTriplets:
    left, right = (vector.duplicate() for vector in reversed(solver.getOperators()[0].createVecs()))
    S, U, V = [], [], []
    for index in range(found):
        S.append(solver.getSingularTriplet(index, left, right))
        U.append(torch.from_numpy(left.getArray().copy()))
        V.append(torch.from_numpy(right.getArray().copy()))
    rows, columns = operator.shape
    U = torch.stack(U, 1) if U else torch.zeros(rows, 0, dtype=torch.float64)
    Vh = torch.stack(V) if V else torch.zeros(0, columns, dtype=torch.float64)
    U, Vh = with_signs(U, Vh)
    # Behind the triplets, because `cross` computes the left vectors only when they are asked for.
    products = operator.products
    S = torch.tensor(S, dtype=torch.float64)
    right_residuals, left_residuals = residuals(operator, U, S, Vh)
    return SingularTriplets(U, S, Vh, right_residuals, left_residuals, products, f"slepc {settings.kind}")


def residuals(operator: LinearOperator, U: Tensor, S: Tensor, Vh: Tensor) -> tuple[Tensor, Tensor]:
    """``|A v - s u|`` and ``|A^T u - s v|`` ``(k,)`` by the operator's own products, in float64."""
    v = Vh.to(dtype=operator.dtype, device=operator.device).unflatten(1, operator.domain_shape)
    u = U.T.to(dtype=operator.dtype, device=operator.device).unflatten(1, operator.range_shape)
    forward = operator.matmat(v).flatten(1).cpu().double().T
    adjoint = operator.rmatmat(u).flatten(1).cpu().double()
    return (forward - U * S).norm(dim=0), (adjoint - S.unsqueeze(1) * Vh).norm(dim=1)
