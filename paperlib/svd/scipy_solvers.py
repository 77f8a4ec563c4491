"""SciPy's singular value solvers: PROPACK and ARPACK through ``svds``, and LOBPCG.

``svds`` squares its ``tol`` before it hands it on. ARPACK stops by the residual of the cross product, which relative to
its eigenvalue is ours, so it is given the square root. PROPACK stops by the error of the singular *value*, which is of
the order of the residual's square, so ours is right as it is.

ARPACK and LOBPCG square the matrix and work in double precision, whatever the operator's dtype. PROPACK works in the
operator's: it orthogonalises as far as rounding demands, and in double precision would not expect that of products in
single precision.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.linalg import LinAlgWarning
from scipy.sparse.linalg import ArpackNoConvergence, lobpcg, svds
from scipy.sparse.linalg import LinearOperator as ScipyOperator
from torch import Tensor

from paperlib.operators import CountingOperator, LinearOperator, to_scipy
from paperlib.svd.errors import NotConvergedError, RankError, check_rank
from paperlib.svd.residuals import with_residuals
from paperlib.svd.triplets import SingularTriplets

KINDS = ("propack", "arpack", "lobpcg")

# Iterations of LOBPCG before its absolute tolerance is scaled by the singular values that it has come to.
_FIRST_ITERATIONS = 5

_Found = tuple[Tensor, Tensor, Tensor, str]  # U, S, Vh, and a complaint or nothing


@dataclass(frozen=True)
class Scipy:
    """Settings of a SciPy solver.

    ``kind`` is ``propack`` (Lanczos bidiagonalisation without restarts, with partial reorthogonalisation), ``arpack``
    (implicitly restarted Lanczos on the cross product) or ``lobpcg`` (locally optimal block conjugate gradients on the
    cross product). ``basis_size`` bounds the vectors of a side for PROPACK (by default ten for each triplet) and is
    ARPACK's ncv (by default the larger of 2 k + 1 and 20). ``max_iterations`` bounds ARPACK's restarts and LOBPCG's
    iterations.
    """

    kind: str = "propack"
    basis_size: int | None = None
    max_iterations: int = 1000

    @property
    def name(self) -> str:
        return f"scipy {self.kind}"

    def size(self, k: int) -> int:
        """Vectors of the basis for k triplets: on each side for PROPACK, on the smaller one for the others."""
        defaults = {"propack": 10 * k, "arpack": max(2 * k + 1, 20), "lobpcg": 3 * k}
        return self.basis_size or defaults[self.kind]


def scipy_svd(
    operator: LinearOperator, k: int, settings: Scipy | None = None, *, tol: float = 1e-4, seed: int = 0
) -> SingularTriplets:
    """The k largest singular triplets of an operator by SciPy, which stops where it believes that they reach ``tol``.

    Raises ``RankError`` for a k out of range (ARPACK and LOBPCG find fewer triplets than the smaller side has) and
    ``NotConvergedError``, with the triplets found: of PROPACK there are none.
    """
    settings = settings or Scipy()
    check_rank(k, operator.shape)
    if settings.kind != "propack" and k == min(operator.shape):
        raise RankError(
            f"scipy {settings.kind} finds at most {k - 1} triplets of a {operator.shape[0]} x {operator.shape[1]} "
            "matrix; ask for fewer, or take another solver"
        )
    counted = CountingOperator(operator)
    solve = {"propack": _propack, "arpack": _arpack, "lobpcg": _lobpcg}[settings.kind]
    # A basis cannot be larger than the smaller side.
    size = min(settings.size(k), min(operator.shape))
    U, S, Vh, complaint = solve(counted, k, settings, size, tol, np.random.default_rng(seed))
    order = S.argsort(descending=True, stable=True)
    U, S, Vh = U[:, order], S[order], Vh[order]
    products = counted.products
    found = with_residuals(operator, U, S, Vh, products=products, solver=settings.name, tol=tol)
    if complaint:
        raise NotConvergedError(
            f"SciPy's {settings.kind} found {len(S)} of {k} singular triplets to a relative residual of {tol:g} "
            f"({complaint}); raise max_iterations, basis_size or tol, or ask for fewer",
            replace(found, converged=False),
        )
    return found


def _propack(
    operator: LinearOperator, k: int, settings: Scipy, size: int, tol: float, generator: np.random.Generator
) -> _Found:
    matrix = to_scipy(operator)
    start = generator.standard_normal(operator.shape[0]).astype(matrix.dtype)
    try:
        U, S, Vh = svds(matrix, k, tol=tol, v0=start, maxiter=size, solver="propack", rng=generator)
    except np.linalg.LinAlgError as error:
        # The message alone; whatever PROPACK had found is gone.
        rows, columns = operator.shape
        empty = torch.zeros(0, dtype=torch.float64)
        return empty.expand(rows, 0), empty, empty.unsqueeze(1).expand(0, columns), str(error)
    return _tensor(U), _tensor(S), _tensor(Vh), ""


def _arpack(
    operator: LinearOperator, k: int, settings: Scipy, size: int, tol: float, generator: np.random.Generator
) -> _Found:
    options = {"v0": generator.standard_normal(min(operator.shape)), "maxiter": settings.max_iterations}
    matrix = to_scipy(operator, np.float64)
    try:
        U, S, Vh = svds(matrix, k, tol=np.sqrt(tol), ncv=max(size, k + 1), solver="arpack", rng=generator, **options)
    except ArpackNoConvergence as error:
        return *_from_vectors(operator, np.linalg.qr(error.eigenvectors)[0]), str(error)
    return _tensor(U), _tensor(S), _tensor(Vh), ""


def _lobpcg(
    operator: LinearOperator, k: int, settings: Scipy, size: int, tol: float, generator: np.random.Generator
) -> _Found:
    # Not through svds, which takes no block of start vectors: LOBPCG's tolerance is absolute, and what it should be
    # relative to is known after a few iterations only.
    gram = _cross_product(operator)
    vectors = generator.standard_normal((gram.shape[0], k))
    with warnings.catch_warnings():
        # It warns of what the residuals tell.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        values, vectors = lobpcg(gram, vectors, tol=0, maxiter=min(_FIRST_ITERATIONS, settings.max_iterations))
        # The products of a zero singular value are rounding, which no iteration makes smaller.
        rounding = 10 * torch.finfo(operator.dtype).eps * values.max()
        absolute = max(tol * values.min(), rounding)
        values, vectors = lobpcg(gram, vectors, tol=absolute, maxiter=settings.max_iterations)
    return *_from_vectors(operator, np.linalg.qr(vectors)[0]), ""


def _cross_product(operator: LinearOperator) -> ScipyOperator:
    """``A^T A`` or ``A A^T``, on the smaller side."""
    matrix = to_scipy(operator, np.float64)
    matrix = matrix if operator.shape[0] >= operator.shape[1] else matrix.adjoint()
    return matrix.adjoint() @ matrix


def _from_vectors(operator: LinearOperator, vectors: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Triplets from orthonormal vectors ``(side, count)`` of the smaller side: a product of each, and a small SVD."""
    tall = operator.shape[0] >= operator.shape[1]
    matrix = to_scipy(operator, np.float64)
    other, S, mixing = np.linalg.svd((matrix if tall else matrix.adjoint()).matmat(vectors), full_matrices=False)
    vectors = vectors @ mixing.T
    U, V = (other, vectors) if tall else (vectors, other)
    return _tensor(U), _tensor(S), _tensor(V.T)


def _tensor(array: np.ndarray) -> Tensor:
    # SciPy may hand out arrays with negative strides, which torch refuses.
    return torch.from_numpy(np.ascontiguousarray(array)).double()
