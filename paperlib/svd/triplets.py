"""Singular triplets with what is needed to trust them."""

from dataclasses import dataclass

import torch
from torch import Tensor


class SvdError(Exception):
    """Base of the errors of `paperlib.svd`."""


class RankError(SvdError, ValueError):
    """More singular triplets were asked for than the matrix can have."""


class NotConvergedError(SvdError):
    """A solver stopped before all triplets reached the tolerance; ``triplets`` holds what it found."""

    def __init__(self, message: str, triplets: "SingularTriplets"):
        super().__init__(message)
        self.triplets = triplets


class SolverUnavailableError(SvdError, ImportError):
    """The library behind a solver is not installed; the message says how to get it."""


@dataclass(frozen=True)
class SingularTriplets:
    """The k largest singular triplets of one matrix ``(m, n)``, or of each of a batch of matrices.

    ``U`` ``(..., m, k)`` and ``Vh`` ``(..., k, n)`` in float64 on row-major flattened tensors, ``S`` ``(..., k)``
    decreasing; in each right singular vector the entry of largest magnitude is positive. ``right_residuals``
    ``(..., k)`` is ``|A v - s u|`` and ``left_residuals`` ``|A^T u - s v|``: with a Lanczos method one of them is small
    by construction, so both are given. ``products`` counts the products with A and A^T, for each matrix.
    """

    U: Tensor
    S: Tensor
    Vh: Tensor
    right_residuals: Tensor
    left_residuals: Tensor
    products: int
    solver: str

    @property
    def relative_residuals(self) -> Tensor:
        """``(|A v - s u|^2 + |A^T u - s v|^2)^(1/2) / s`` ``(..., k)`` (`generalizability`, Section 2.2)."""
        both = torch.hypot(self.right_residuals, self.left_residuals)
        return both / self.S.clamp_min(torch.finfo(self.S.dtype).tiny)


def with_signs(U: Tensor, Vh: Tensor) -> tuple[Tensor, Tensor]:
    """Flip pairs of singular vectors so that the entry of largest magnitude of each row of ``Vh`` is positive."""
    largest = Vh.abs().argmax(-1, keepdim=True)
    signs = torch.where(Vh.gather(-1, largest) < 0, -1.0, 1.0).to(Vh.dtype)
    return U * signs.transpose(-1, -2), Vh * signs


def check_rank(k: int, shape: tuple[int, int]) -> None:
    """Raise ``RankError`` unless ``1 <= k <= min(shape)``."""
    if not 1 <= k <= min(shape):
        raise RankError(
            f"{k} singular triplets were asked for; a {shape[0]} x {shape[1]} matrix has {min(shape)}, so k must be in "
            f"1..{min(shape)}"
        )
