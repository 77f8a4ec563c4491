"""Singular triplets with what is needed to trust them."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SingularTriplets:
    """The k largest singular triplets of one matrix ``(m, n)``, or of each of a batch of matrices.

    ``U`` ``(..., m, k)`` and ``Vh`` ``(..., k, n)`` on row-major flattened tensors, ``S`` ``(..., k)`` float64,
    decreasing; in each right singular vector the entry of largest magnitude is positive. The vectors are in float64,
    but for those of `Lanczos`, which come in the operator's dtype. ``right_residuals`` ``(..., k)`` is
    ``|A v - s u|`` and ``left_residuals`` ``|A^T u - s v|``, by the operator's own products (see `lanczos_svd` for
    those of `Lanczos`): with a Lanczos method one of them is small by construction, so both are given. ``products``
    counts the vectors that were multiplied by A or by A^T, for each matrix, without those for the residuals.
    ``converged`` says whether all residuals are within the tolerance that was asked for. ``device`` and ``dtype`` are
    those of the operator.
    """

    U: Tensor
    S: Tensor
    Vh: Tensor
    right_residuals: Tensor
    left_residuals: Tensor
    products: int
    solver: str
    converged: bool
    device: torch.device
    dtype: torch.dtype

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
