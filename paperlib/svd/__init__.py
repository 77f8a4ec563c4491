"""Truncated SVD of linear operators, with residuals and counts of products.

>>> import torch
>>> from paperlib.operators import MatrixOperator
>>> from paperlib.svd import truncated_svd
>>> A = MatrixOperator(torch.diag(torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)))
>>> truncated_svd(A, k=2).S.tolist()
[3.0, 2.0]
"""

from dataclasses import replace

from paperlib.operators import LinearOperator
from paperlib.svd.exact import LARGEST_SIDE, batched_svd, dense_matrices, dense_svd, exact_svd
from paperlib.svd.slepc import Slepc, residuals, slepc_available, slepc_svd
from paperlib.svd.triplets import (
    NotConvergedError,
    RankError,
    SingularTriplets,
    SolverUnavailableError,
    SvdError,
    with_signs,
)

__all__ = [
    "NotConvergedError", "RankError", "SingularTriplets", "Slepc", "SolverUnavailableError", "SvdError", "batched_svd",
    "dense_matrices", "dense_svd", "exact_svd", "residuals", "slepc_available", "slepc_svd", "truncated_svd",
    "with_signs",
]  # fmt: skip


def truncated_svd(
    operator: LinearOperator, k: int, *, solver: str | Slepc = "auto", tolerance: float = 1e-5
) -> SingularTriplets:
    """The k largest singular triplets of an operator.

    ``solver`` is ``"exact"`` (forms the matrix from its smaller side), ``"slepc"`` (the paper's ``cross``), a `Slepc`
    with other settings, or ``"auto"``: exact where a side is at most 4,096, else SLEPc. ``tolerance`` bounds the
    relative two-sided residual of an iterative solver named by a string.

    Raises ``RankError``, ``NotConvergedError``, ``SolverUnavailableError``; ``ValueError`` for an unknown solver.
    """
    if solver == "auto":
        solver = "exact" if min(operator.shape) <= LARGEST_SIDE else "slepc"
    if solver == "exact":
        return exact_svd(operator, k)
    if solver == "slepc":
        return slepc_svd(operator, k, replace(Slepc(), tolerance=tolerance))
    if isinstance(solver, Slepc):
        return slepc_svd(operator, k, solver)
    raise ValueError(f"unknown solver {solver!r}; expected 'auto', 'exact', 'slepc' or a Slepc(...)")
