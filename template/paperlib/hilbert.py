"""Hilbert matrices: their determinants, their condition numbers, and what is lost when one solves with them."""

from dataclasses import dataclass
from fractions import Fraction
from math import log

import torch
from torch import Tensor

UNIT_ROUNDOFF = torch.finfo(torch.float64).eps / 2


@dataclass(frozen=True)
class HilbertStudy:
    """What was measured for each of ``sizes``: a list entry per matrix.

    ``largest`` and ``smallest`` eigenvalue, ``condition`` number, and ``error``: the median relative error
    ``|x' - x| / |x|`` of solutions ``x'`` in float64.
    """

    sizes: list[int]
    largest: list[float]
    smallest: list[float]
    condition: list[float]
    error: list[float]

    @property
    def growth(self) -> float:
        """By how much the logarithm of the condition number times the root of the size grows with the last row."""
        n = self.sizes[-1]
        return log(self.condition[-1] / self.condition[-2]) + log(n / (n - 1)) / 2

    @property
    def error_over_rule(self) -> float:
        """The last error in units of the condition number times the unit roundoff."""
        return self.error[-1] / (self.condition[-1] * UNIT_ROUNDOFF)


def hilbert_matrix(n: int) -> Tensor:
    """The matrix ``(n, n)`` float64 with the entries ``1 / (i + j + 1)``, counted from 0.

    Raises ``ValueError`` for ``n < 1``.
    """
    if n < 1:
        raise ValueError(f"n is {n}; expected at least one row")
    index = torch.arange(n, dtype=torch.float64)
    return 1 / (index[:, None] + index + 1)


def reciprocal_determinant(n: int) -> int:
    """``1 / det H`` of the Hilbert matrix with ``n`` rows, by elimination with fractions, without rounding."""
    rows = [[Fraction(1, i + j + 1) for j in range(n)] for i in range(n)]
    determinant = Fraction(1)
    for step in range(n):
        pivot = rows[step]
        determinant *= pivot[step]
        for row in rows[step + 1 :]:
            factor = row[step] / pivot[step]
            row[step:] = [entry - factor * above for entry, above in zip(row[step:], pivot[step:], strict=True)]
    # Hilbert's remark: the numerator is 1.
    return int(1 / determinant)


def hilbert_study(n_max: int, draws: int, seed: int) -> HilbertStudy:
    """Measure the Hilbert matrices with 2 to ``n_max`` rows; ``draws`` solutions with normal entries for each.

    Beyond 10 rows float64 no longer resolves the smallest eigenvalue.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = list(range(2, n_max + 1))
    spectra = [torch.linalg.eigvalsh(hilbert_matrix(n)) for n in sizes]
    return HilbertStudy(
        sizes=sizes,
        largest=[values[-1].item() for values in spectra],
        smallest=[values[0].item() for values in spectra],
        condition=[(values[-1] / values[0]).item() for values in spectra],
        error=[_solution_error(hilbert_matrix(n), draws, generator) for n in sizes],
    )


def _solution_error(matrix: Tensor, draws: int, generator: torch.Generator) -> float:
    wanted = torch.randn(len(matrix), draws, dtype=matrix.dtype, generator=generator)
    found = torch.linalg.solve(matrix, matrix @ wanted)
    return ((found - wanted).norm(dim=0) / wanted.norm(dim=0)).median().item()
