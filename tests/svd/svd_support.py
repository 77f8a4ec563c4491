"""Matrices with chosen singular values, and the comparison of subspaces."""

from collections.abc import Sequence

import torch
from torch import Tensor


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def orthonormal(rows: int, columns: int, seed: int) -> Tensor:
    return torch.linalg.qr(draw(rows, columns, seed=seed)).Q


def planted(rows: int, columns: int, values: Sequence[float], seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """A float64 matrix ``(rows, columns)`` with the singular values ``values``, and its left and right vectors."""
    U, V = orthonormal(rows, len(values), 2 * seed), orthonormal(columns, len(values), 2 * seed + 1)
    return (U * torch.tensor(values, dtype=torch.float64)) @ V.T, U, V


def largest_angle(A: Tensor, B: Tensor) -> float:
    """Sine of the largest principal angle between the spaces of the orthonormal columns of A and of B."""
    return torch.linalg.matrix_norm(B - A @ (A.T @ B), ord=2).item()
