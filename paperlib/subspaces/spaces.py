"""The four fundamental spaces of a matrix, and what a subspace keeps of a vector (`vectorspaces`, Sections 2.1-2.3)."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from paperlib.svd.triplets import with_signs


@dataclass(frozen=True)
class FourSpaces:
    """The four fundamental spaces of a matrix ``W`` ``(m, n)`` of numerical rank ``r``, float64.

    ``U`` ``(m, r)``, ``S`` ``(r,)`` decreasing and ``Vh`` ``(r, n)`` are its singular triplets above the rank
    tolerance: ``s_i > tolerance * s_0``; ``singular_values`` ``(min(m, n),)`` holds all of them. In each row of ``Vh``
    the entry of largest magnitude is positive. Bases have orthonormal columns.

    In the book: thm-nearest-image.
    """

    U: Tensor
    S: Tensor
    Vh: Tensor
    singular_values: Tensor
    tolerance: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows ``m`` and columns ``n`` of the matrix."""
        return self.U.shape[0], self.Vh.shape[1]

    @property
    def rank(self) -> int:
        """Number ``r`` of singular values above the tolerance."""
        return len(self.S)

    @property
    def condition_number(self) -> float:
        """Largest over smallest singular value above the tolerance, ``s_0 / s_(r-1)``; NaN where the rank is 0."""
        return (self.S[0] / self.S[-1]).item() if self.rank else float("nan")

    @property
    def row_space(self) -> Tensor:
        """Signal space: basis ``(n, r)`` of the inputs that the matrix reads, its right singular vectors."""
        return self.Vh.mT

    @property
    def column_space(self) -> Tensor:
        """Signal output space: basis ``(m, r)`` of the outputs that can be reached, its left singular vectors."""
        return self.U

    @cached_property
    def null_space(self) -> Tensor:
        """Rejected signal space: basis ``(n, n - r)`` of the inputs without effect on the output."""
        return orthogonal_complement(self.row_space)

    @cached_property
    def left_null_space(self) -> Tensor:
        """Rejected output space: basis ``(m, m - r)`` of the outputs that no input can reach."""
        return orthogonal_complement(self.column_space)

    def pseudoinverse(self, y: Tensor) -> Tensor:
        """The shortest input whose output is nearest to ``y``: ``x_s = W^+ y`` for ``y`` ``(..., m)``; ``(..., n)``.

        It lies in the row space, and ``W x_s = y`` where ``y`` lies in the column space (`vectorspaces`, eq. 3).
        """
        return ((y.to(self.U.dtype) @ self.U) / self.S) @ self.Vh


def four_spaces(matrix: Tensor, tolerance: float | None = None) -> FourSpaces:
    """Decompose ``matrix`` ``(m, n)`` in float64; ``tolerance`` is relative to the largest singular value.

    By default it is ``max(m, n)`` times the machine epsilon of the matrix's own dtype, as in
    `numpy.linalg.matrix_rank`: what rounding to that dtype alone can raise a zero singular value to.

    Raises ``ValueError`` for anything but a matrix with at least one row and column, entries that are not finite, or
    a tolerance outside [0, 1).

    In the book: thm-four-spaces, thm-left-out.
    """
    if matrix.dim() != 2 or 0 in matrix.shape:
        raise ValueError(f"expected a matrix with rows and columns, got a tensor of shape {tuple(matrix.shape)}")
    wrong = int((~torch.isfinite(matrix)).sum())
    if wrong:
        raise ValueError(f"{wrong} of the {matrix.numel()} entries of the matrix are NaN or infinite")
    if tolerance is None:
        dtype = matrix.dtype if matrix.is_floating_point() else torch.float64
        # The product alone would exceed 1 for a wide matrix in half precision, and nothing would be left of it.
        tolerance = min(max(matrix.shape) * torch.finfo(dtype).eps, 0.5)
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}; expected a number in [0, 1), relative to the largest value")
    U, S, Vh = torch.linalg.svd(matrix.detach().double(), full_matrices=False)
    rank = int((S > tolerance * S[0]).sum())
    U, Vh = with_signs(U[:, :rank], Vh[:rank])
    return FourSpaces(U, S[:rank], Vh, S, tolerance)


def orthogonal_complement(basis: Tensor) -> Tensor:
    """Orthonormal basis ``(n, n - r)`` of all that is orthogonal to the orthonormal columns of ``basis`` ``(n, r)``."""
    return torch.linalg.qr(basis, mode="complete").Q[:, basis.shape[1] :]


def project(basis: Tensor, x: Tensor) -> Tensor:
    """Orthogonal projection of vectors ``x`` ``(..., n)`` on the span of orthonormal columns ``basis`` ``(n, r)``."""
    x = x.to(basis.dtype)
    return (x @ basis) @ basis.mT


def residual(basis: Tensor, x: Tensor) -> Tensor:
    """What the projection on ``basis`` ``(n, r)`` leaves of vectors ``x`` ``(..., n)`` (`vectorspaces`, eq. 4)."""
    return x.to(basis.dtype) - project(basis, x)


def energy(x: Tensor) -> Tensor:
    """Squared norm of vectors ``x`` ``(..., n)``; ``(...)`` in float64."""
    return x.double().square().sum(-1)


def rejected_energy(basis: Tensor, x: Tensor) -> Tensor:
    """Share in [0, 1] of the energy of vectors ``x`` ``(..., n)`` outside the span of ``basis``; 0 for a zero vector,
    NaN for one that holds NaN or infinity.

    It is one minus the projection ratio: ``|x - P x|^2 / |x|^2``.

    In the book: thm-energies.
    """
    return energy_share(energy(residual(basis, x)), energy(x))


def energy_share(part: Tensor, total: Tensor) -> Tensor:
    """``part / total`` of two energies, at most 1 where rounding goes above; 0 where both are 0, NaN where one is."""
    return torch.where(total == 0, 0.0, part / total).clamp(max=1)


def neuron_basis(weights: Tensor) -> Tensor:
    """Orthonormal basis ``(n, 1)``, or ``(n, 0)`` for zero weights, of the one direction that a neuron sees.

    With it `project` is ``(w^T x / w^T w) w`` and `residual` is equation 4 of `vectorspaces`; ``weights`` ``(n,)``.
    """
    return four_spaces(weights.reshape(1, -1)).row_space


def overlap(basis: Tensor, other: Tensor) -> float:
    """Mean squared cosine of the principal angles between the spans of two orthonormal bases ``(n, r)``, ``(n, q)``.

    1 where the smaller span lies in the other, 0 where they are orthogonal; two random ones have ``max(r, q) / n``.
    NaN where one of them is zero.
    """
    count = min(basis.shape[1], other.shape[1])
    return (basis.mT @ other).square().sum().item() / count if count else float("nan")
