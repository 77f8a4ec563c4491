"""One front for all solvers: choose, foresee the memory, solve, and check what came out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor
from tqdm import tqdm

from paperlib.operators import CountingOperator, LinearOperator
from paperlib.svd import scipy_solvers, slepc
from paperlib.svd.errors import NotConvergedError, check_rank
from paperlib.svd.exact import Exact, exact_svd
from paperlib.svd.lanczos import Lanczos, lanczos_svd
from paperlib.svd.memory import Solver, check_memory, free_memory, vector_memory
from paperlib.svd.residuals import reaches
from paperlib.svd.scipy_solvers import Scipy, scipy_svd
from paperlib.svd.slepc import Slepc, slepc_svd
from paperlib.svd.triplets import SingularTriplets

_NAMED: dict[str, Solver] = {
    "exact": Exact(),
    "lanczos": Lanczos(),
    "block lanczos": Lanczos(block_size=4),
    **{f"slepc {kind}": Slepc(kind) for kind in slepc.KINDS},
    **{f"scipy {kind}": Scipy(kind) for kind in scipy_solvers.KINDS},
}

_Report = Callable[[int, Tensor], None]

# The names that `truncated_svd` takes, besides "auto".
SOLVERS = tuple(_NAMED)

# Up to so many rows or columns the matrix is formed: as many products, but in blocks, and no tolerance.
_SMALL_SIDE = 512

# Where a solver stopped by an estimate that was too good, it is asked for a so many times smaller residual.
_TIGHTER = (1.0, 4.0, 16.0)


def truncated_svd(
    operator: LinearOperator,
    k: int,
    *,
    solver: str | Solver = "auto",
    tol: float = 1e-4,
    seed: int = 0,
    progress: bool = False,
) -> SingularTriplets:
    """The k largest singular triplets of an operator, each with a relative two-sided residual of at most ``tol``.

    ``solver`` is one of `SOLVERS`, or the settings of one (`Exact`, `Lanczos`, `Slepc`, `Scipy`). ``"auto"`` forms the
    matrix where one of its sides is at most 512 and there is room for it (``"exact"``), and takes ``"lanczos"`` else,
    with its basis in the processor's memory where the GPU's is too small; the result's ``solver`` says which it was.
    ``tol`` is that of `generalizability`, Section 2.2 (the paper: 1e-5 for MNIST, 1e-4 for MRI). ``seed`` draws the
    start vectors. ``progress`` shows the products on standard error.

    The residuals of the result are computed anew, by the operator's own products: one by one, or those of `Lanczos`
    all together (see `lanczos_svd`). Where a solver's own estimate was too good it is asked again for a smaller one;
    ``products`` counts all of its products.

    Raises ``RankError`` for a k out of range, ``NotEnoughMemoryError`` before the first product where the vectors would
    not fit, ``NotConvergedError`` with the triplets found, ``SolverUnavailableError`` where SLEPc is not installed,
    ``ValueError`` for an unknown solver or a tolerance that is not positive.
    """
    if not tol > 0:
        raise ValueError(f"tol is {tol}; it must be positive")
    check_rank(k, operator.shape)
    settings = _settings(solver, operator, k)
    check_memory(operator.shape, k, settings, operator.dtype, operator.device)
    with _watched(operator, settings.name, progress) as (watched, report):
        if isinstance(settings, Exact):
            return exact_svd(watched, k)
        return _verified(watched, k, settings, tol, seed, report)


def _settings(solver: str | Solver, operator: LinearOperator, k: int) -> Solver:
    if isinstance(solver, Solver):
        return solver
    if solver in _NAMED:
        return _NAMED[solver]
    if solver != "auto":
        raise ValueError(f"unknown solver {solver!r}; expected 'auto', {', '.join(map(repr, SOLVERS))}, or settings")
    if min(operator.shape) <= _SMALL_SIDE and _has_room(Exact(), operator, k):
        return Exact()
    if operator.device.type == "cuda" and not _has_room(Lanczos(), operator, k):
        return Lanczos(basis_device="cpu")
    return Lanczos()


def _has_room(solver: Solver, operator: LinearOperator, k: int) -> bool:
    """Whether a solver's vectors leave half of the free memory to the products."""
    return vector_memory(operator.shape, k, solver, operator.dtype) <= free_memory(operator.device) / 2


def _verified(
    operator: LinearOperator, k: int, settings: Solver, tol: float, seed: int, report: _Report | None
) -> SingularTriplets:
    if isinstance(settings, Lanczos):
        return lanczos_svd(operator, k, settings, tol=tol, seed=seed, report=report)
    products = 0
    for tighter in _TIGHTER:
        if isinstance(settings, Slepc):
            found = slepc_svd(operator, k, settings, tol=tol / tighter, seed=seed)
        else:
            found = scipy_svd(operator, k, settings, tol=tol / tighter, seed=seed)
        products += found.products
        if reaches(found, tol):
            return replace(found, products=products, converged=True)
    worst = float(found.relative_residuals.max())
    rounding = float(torch.finfo(found.dtype).eps * found.S.max() / found.S.min())
    raise NotConvergedError(
        f"{settings.name} holds its {k} singular triplets for converged to {tol:g}, but by the operator's own products "
        f"the largest relative residual is {worst:.1e}; in {operator.dtype} a residual below about "
        f"{rounding:.0e} cannot be told from rounding: raise tol, ask for fewer triplets, or use float64",
        replace(found, products=products, converged=False),
    )


@contextmanager
def _watched(operator: LinearOperator, title: str, progress: bool) -> Iterator[tuple[LinearOperator, _Report | None]]:
    """The operator and a report of residuals, both of which move a progress bar where one is wanted."""
    if not progress:
        yield operator, None
        return
    with tqdm(desc=f"SVD by {title}", unit=" products", mininterval=1) as bar:
        yield _Watched(operator, bar), lambda _products, found: bar.set_postfix(residual=f"{float(found.max()):.1e}")


class _Watched(CountingOperator):
    """An operator whose products move a progress bar."""

    def __init__(self, operator: LinearOperator, bar: tqdm):
        super().__init__(operator)
        self._bar = bar

    def _matmat(self, vectors: Tensor) -> Tensor:
        self._bar.update(len(vectors))
        return super()._matmat(vectors)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        self._bar.update(len(vectors))
        return super()._rmatmat(vectors)
