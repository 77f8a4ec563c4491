"""Matrices with chosen singular values, seeded draws, and layers of every kind."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
CONV_TRANSPOSE = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
# Different on every axis, so that swapped axes show.
SIDES = {1: (9,), 2: (7, 8), 3: (5, 4, 6)}


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def planted(rows: int, columns: int, values: Sequence[float], seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """A float64 matrix ``(rows, columns)`` with the singular values ``values``, and its left and right vectors."""
    U = torch.linalg.qr(draw(rows, len(values), seed=2 * seed + 100)).Q
    V = torch.linalg.qr(draw(columns, len(values), seed=2 * seed + 101)).Q
    return (U * torch.tensor(values, dtype=torch.float64)) @ V.T, U, V


def span(basis: Tensor) -> Tensor:
    """The projector on the orthonormal columns of a basis: the same for every basis of one subspace."""
    return basis @ basis.mT
