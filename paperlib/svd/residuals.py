"""What makes a triplet believable: its residuals on both sides, by the operator's own products."""

from dataclasses import replace

import torch
from torch import Tensor

from paperlib.operators import LinearOperator
from paperlib.svd.triplets import SingularTriplets, with_signs

# Singular values below this many units of rounding, relative to the largest, are zero for all that products can tell.
ZERO = 100


def residuals(operator: LinearOperator, U: Tensor, S: Tensor, Vh: Tensor) -> tuple[Tensor, Tensor]:
    """``|A v - s u|`` and ``|A^T u - s v|`` ``(k,)`` by the operator's own products, summed in float64.

    One product at a time, so that the memory is that of a few vectors whatever k is.
    """
    right, left = torch.zeros_like(S), torch.zeros_like(S)
    for i, (u, s, v) in enumerate(zip(U.T, S, Vh, strict=True)):
        forward = operator.matvec(_as_input(v, operator, operator.domain_shape)).flatten().to(u.device)
        adjoint = operator.rmatvec(_as_input(u, operator, operator.range_shape)).flatten().to(v.device)
        right[i] = (forward.double() - s * u.double()).norm()
        left[i] = (adjoint.double() - s * v.double()).norm()
    return right, left


def reaches(triplets: SingularTriplets, tol: float) -> bool:
    """Whether every relative two-sided residual is at most ``tol``.

    A singular value of zero has no relative residual: one that is zero to the precision of the products counts if its
    residual is that of rounding.
    """
    if not len(triplets.S):
        return True
    rounding = ZERO * torch.finfo(triplets.dtype).eps * triplets.S.amax()
    both = torch.hypot(triplets.right_residuals, triplets.left_residuals)
    zero = (triplets.S <= rounding) & (both <= rounding)
    return bool(((triplets.relative_residuals <= tol) | zero).all())


def with_residuals(
    operator: LinearOperator, U: Tensor, S: Tensor, Vh: Tensor, *, products: int, solver: str, tol: float
) -> SingularTriplets:
    """Triplets with the stated signs, their residuals, and whether these reach ``tol``."""
    U, Vh = with_signs(U, Vh)
    right, left = residuals(operator, U, S, Vh)
    found = SingularTriplets(U, S, Vh, right, left, products, solver, True, operator.device, operator.dtype)
    return replace(found, converged=reaches(found, tol))


def _as_input(vector: Tensor, operator: LinearOperator, shape: tuple[int, ...]) -> Tensor:
    return vector.to(dtype=operator.dtype, device=operator.device).contiguous().view(shape)
