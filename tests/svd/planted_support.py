"""Matrices whose singular triplets are known, of every kind that is hard in its own way, and bounds for what is found.

``U``, ``S`` and ``V`` are those of the float64 matrix; an operator in float32 holds it rounded.
"""

import torch
from svd_support import largest_angle, orthonormal
from torch import Tensor

from paperlib.operators import MatrixOperator
from paperlib.svd import SingularTriplets

KINDS = ("clustered", "flat", "fast_decay", "rank_deficient", "repeated", "geometric")

# Rank of the kind "rank_deficient", and the largest multiplicity of the kind "repeated".
RANK, MULTIPLICITY = 12, 4


def spectrum(kind: str, count: int) -> Tensor:
    """``count`` (at least 20) singular values, decreasing from 1."""
    index = torch.arange(count, dtype=torch.float64)
    rest = torch.linspace(0.5, 0.05, count, dtype=torch.float64)
    if kind == "clustered":
        return torch.cat([1 - 1e-3 * index[:3], 0.7 - 1e-3 * index[:5], rest])[:count]
    if kind == "flat":
        return torch.linspace(1, 0.5, count, dtype=torch.float64)
    if kind == "fast_decay":
        return 0.5**index
    if kind == "rank_deficient":
        return torch.where(index < RANK, 1 - 0.05 * index, 0)
    if kind == "repeated":
        return torch.cat([torch.tensor([1.0, 1, 1, 0.8, 0.8, 0.6, 0.6, 0.6, 0.6], dtype=torch.float64), rest])[:count]
    if kind == "geometric":
        return 0.9**index
    raise ValueError(f"unknown kind {kind!r}; expected one of {KINDS}")


def planted(
    kind: str, dtype: torch.dtype = torch.float64, shape: tuple[int, int] = (60, 40), seed: int = 0
) -> tuple[MatrixOperator, Tensor, Tensor, Tensor]:
    """An operator of a shape ``(m, n)``, with ``U`` ``(m, r)``, ``S`` ``(r,)`` and ``V`` ``(n, r)``, r = min(m, n)."""
    count = min(shape)
    S = spectrum(kind, count)
    U, V = orthonormal(shape[0], count, 2 * seed), orthonormal(shape[1], count, 2 * seed + 1)
    return MatrixOperator(((U * S) @ V.T).to(dtype)), U, S, V


def assert_planted(found: SingularTriplets, U: Tensor, S: Tensor, V: Tensor, tol: float) -> None:
    """Values, and the space of the leading i triplets for each i behind which there is a gap, within their bounds.

    A matrix A + E with ``|E| <= e`` has the found triplets exactly, where e is their residuals and the rounding of A.
    So values differ by at most e (Weyl), and spaces by an angle of at most ``2^(1/2) e / gap`` (Wedin).
    """
    k, largest = len(found.S), S[0]
    rounding = 20 * torch.finfo(found.dtype).eps * largest
    error = 2**0.5 * torch.hypot(found.right_residuals, found.left_residuals).norm() + rounding
    assert found.converged and error <= 2 * (k**0.5 * tol * largest + rounding)
    assert (found.S - S[:k]).abs().max() <= error
    assert (found.S.diff() <= 0).all()
    for i in range(1, k + 1):
        gap = S[i - 1] - S[i] if i < len(S) else S[i - 1]
        if gap > 20 * error:
            bound = 2**0.5 * error / (gap - error)
            assert largest_angle(U[:, :i], found.U[:, :i].double()) <= bound
            assert largest_angle(V[:, :i], found.Vh[:i].double().T) <= bound


def assert_orthonormal(found: SingularTriplets, units: float = 20) -> None:
    """Both sets of vectors, to so many units of rounding of their dtype."""
    identity = torch.eye(len(found.S), dtype=torch.float64)
    close = units * torch.finfo(found.U.dtype).eps
    assert (found.U.double().T @ found.U.double() - identity).abs().max() < close
    assert (found.Vh.double() @ found.Vh.double().T - identity).abs().max() < close
