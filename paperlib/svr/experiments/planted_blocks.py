"""How much noise a planted block structure bears until its internal dimensions are lost (`svr`, Section B.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import j1
from torch import Tensor

from paperlib.intervals import Mean, mean_interval
from paperlib.svr.adjacency import Adjacency
from paperlib.svr.samples import DimensionSample, haar_frames, sample_dimensions


class NoisyBlocks:
    """``P exp(epsilon (A - A^T))`` for ``P = diag(Q_p, Q_(n-p))`` with Haar blocks and normal entries in A.

    ``A - A^T`` is diagonalised once: ``i (A - A^T)`` is Hermitian, and each ``epsilon`` turns its eigenvalues into
    phases. All matrices are real orthogonal ``(n, n)``, float64.

    Raises ``ValueError`` unless ``1 <= p < n``.
    """

    def __init__(self, n: int, p: int, generator: torch.Generator) -> None:
        if not 1 <= p < n:
            raise ValueError(f"a block of {p} in {n} dimensions; expected 1 to {n - 1}")
        self.blocks = torch.block_diag(*(haar_frames(1, size, size, generator)[0] for size in (p, n - p)))
        A = torch.randn(n, n, dtype=torch.float64, generator=generator)
        self._angles, self._axes = torch.linalg.eigh(1j * (A - A.T))

    @property
    def angles(self) -> Tensor:
        """Angles ``(n,)`` in radians by which ``epsilon = 1`` turns the invariant planes; each plane has both signs."""
        return self._angles

    def at(self, epsilons: Sequence[float]) -> Iterator[Tensor]:
        """The noisy matrix for each of the ``epsilons``."""
        turned = self.blocks.to(self._axes.dtype) @ self._axes
        for epsilon in epsilons:
            yield ((turned * torch.exp(-1j * epsilon * self._angles)) @ self._axes.mH).real


def planted_dimensions(n: int, p: int, epsilons: Sequence[float], repeats: int, seed: int) -> list[DimensionSample]:
    """Internal dimensions over ``repeats`` planted structures, a sample for each of the ``epsilons``."""
    # A generator for each p, so that other values of p beside it change nothing.
    generator = torch.Generator().manual_seed(seed * 1_000_003 + p)
    structures = [NoisyBlocks(n, p, generator) for _ in range(repeats)]
    found = [[Adjacency(P.square(), n, 1) for P in structure.at(epsilons)] for structure in structures]
    return [sample_dimensions(column) for column in zip(*found, strict=True)]


def predicted_excess(n: int, p: int, epsilons: Sequence[float]) -> list[float]:
    """Excess of the block of size p for large n, less what chance adds: ``phi^2 p (1 - p / n)``.

    The eigenvalues of ``A - A^T`` fill a semicircle of radius ``2 sqrt(2 n)`` on the imaginary axis, in axes that have
    nothing to do with the block; ``phi = 2 J_1(x) / x`` with ``x = 2 sqrt(2 n) epsilon`` is the mean of their phases.
    """
    x = 2 * np.sqrt(2 * n) * np.asarray(epsilons, dtype=float)
    phi = np.where(x == 0, 1.0, 2 * j1(x) / np.where(x == 0, 1.0, x))
    return (phi**2 * p * (1 - p / n)).tolist()


@dataclass(frozen=True)
class NoiseCurve:
    """``d_out`` and excess over the noise levels: means over the repeats with their 95 % intervals.

    ``recovered_to`` is the largest noise level up to which the mean of ``d_out`` stays within ``slack`` of the
    planted ``p``, ``detected_to`` the largest one up to which the mean excess stays above what chance gives in one of
    forty matrices (its 97.5 % quantile); -1 where not even the first level does.
    """

    d_out: list[Mean]
    excess: list[Mean]
    recovered_to: float
    detected_to: float


def noise_curve(
    p: int, epsilons: Sequence[float], samples: Sequence[DimensionSample], chance: DimensionSample, slack: float = 1.0
) -> NoiseCurve:
    """What `planted_dimensions` found for one p, against ``chance``, the sample of unstructured matrices."""
    d_out = [mean_interval(sample.d_out) for sample in samples]
    excess = [mean_interval(sample.excess) for sample in samples]
    ceiling = chance.excess.quantile(0.975).item()
    return NoiseCurve(
        d_out,
        excess,
        _last_before_failure(epsilons, [abs(one.mean - p) <= slack for one in d_out]),
        _last_before_failure(epsilons, [one.mean > ceiling for one in excess]),
    )


def _last_before_failure(epsilons: Sequence[float], good: Sequence[bool]) -> float:
    last = -1.0
    for epsilon, holds in zip(epsilons, good, strict=True):
        if not holds:
            break
        last = float(epsilon)
    return last
