"""Truncated SVD of linear operators, with residuals and counts of products.

>>> import torch
>>> from paperlib.operators import MatrixOperator
>>> from paperlib.svd import truncated_svd
>>> A = MatrixOperator(torch.diag(torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)))
>>> truncated_svd(A, k=2).S.tolist()
[3.0, 2.0]
>>> truncated_svd(A, k=2, solver="slepc cross").solver
'slepc cross'
"""

from paperlib.svd.errors import (
    NotConvergedError,
    NotEnoughMemoryError,
    RankError,
    SolverUnavailableError,
    SvdError,
)
from paperlib.svd.exact import LARGEST_SIDE, Exact, batched_svd, dense_matrices, dense_svd, exact_svd
from paperlib.svd.front import SOLVERS, truncated_svd
from paperlib.svd.lanczos import Lanczos, lanczos_svd
from paperlib.svd.memory import Solver, vector_memory
from paperlib.svd.residuals import residuals
from paperlib.svd.scipy_solvers import Scipy, scipy_svd
from paperlib.svd.slepc import Slepc, slepc_available, slepc_svd
from paperlib.svd.triplets import SingularTriplets, with_signs

__all__ = [
    "LARGEST_SIDE", "SOLVERS", "Exact", "Lanczos", "NotConvergedError", "NotEnoughMemoryError", "RankError", "Scipy",
    "SingularTriplets", "Slepc", "Solver", "SolverUnavailableError", "SvdError", "batched_svd", "dense_matrices",
    "dense_svd", "exact_svd", "lanczos_svd", "residuals", "scipy_svd", "slepc_available", "slepc_svd", "truncated_svd",
    "vector_memory", "with_signs",
]  # fmt: skip
