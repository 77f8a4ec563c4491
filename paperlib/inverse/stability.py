"""How much the pseudoinverse of a matrix amplifies an error of its output (`vectorspaces`, Section 2.3)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.subspaces.spaces import FourSpaces, four_spaces


@dataclass(frozen=True)
class Stability:
    """Relative change of ``W^+ y`` over the relative change of ``y``, for ``y`` in the column space of ``W``.

    ``amplifications`` ``(count,)`` are those of random outputs with random perturbations; ``worst`` is that of an
    output along the first left singular vector perturbed along the last one. None can exceed ``condition_number``,
    which ``worst`` attains. ``exact_error`` is the largest ``|W W^+ y - y| / |y|`` of the random outputs (eq. 3).
    """

    condition_number: float
    amplifications: Tensor
    worst: float
    exact_error: float

    @property
    def bounded(self) -> bool:
        """Whether all amplifications are at most the condition number, up to the rounding of float64."""
        largest = max(self.worst, self.amplifications.max().item())
        return largest <= self.condition_number * (1 + 1e-9)


def stability(
    matrix: Tensor, generator: torch.Generator, *, count: int = 100, size: float = 1e-3, tolerance: float | None = None
) -> Stability:
    """Perturb ``count`` random outputs of ``matrix`` ``(m, n)`` by ``size`` times their norm, in float64.

    Outputs are normal in the coordinates of the column space, perturbations in those of the whole output space;
    ``tolerance`` is the rank tolerance of `paperlib.subspaces.four_spaces`.

    Raises ``ValueError`` for a matrix of rank 0, which has no output to perturb.
    """
    spaces = four_spaces(matrix.detach().cpu(), tolerance)
    if spaces.rank == 0:
        raise ValueError(f"the matrix {tuple(matrix.shape)} has rank 0: its column space holds no output to perturb")
    rows, dtype = spaces.shape[0], spaces.U.dtype
    y = torch.randn(count, spaces.rank, dtype=dtype, generator=generator) @ spaces.column_space.mT
    error = torch.randn(count, rows, dtype=dtype, generator=generator)
    worst = _amplification(spaces, spaces.U[:, :1].mT, spaces.U[:, -1:].mT, size)
    reached = spaces.pseudoinverse(y) @ matrix.detach().cpu().double().mT
    exact_error = ((reached - y).norm(dim=1) / y.norm(dim=1)).max()
    return Stability(spaces.condition_number, _amplification(spaces, y, error, size), worst.item(), exact_error.item())


def _amplification(spaces: FourSpaces, y: Tensor, error: Tensor, size: float) -> Tensor:
    """Relative change of the solutions for ``y`` ``(count, m)``, per relative change ``size`` along ``error``."""
    error = size * error * (y.norm(dim=1) / error.norm(dim=1)).unsqueeze(1)
    x = spaces.pseudoinverse(y)
    return (spaces.pseudoinverse(y + error) - x).norm(dim=1) / x.norm(dim=1) / size
