"""The law of Marchenko and Pastur: squared singular values of a large matrix of independent entries."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.spectra.esd import checked_values

# Halvings of the support after which a quantile is known to float64's precision.
_HALVINGS = 60


@dataclass(frozen=True)
class MarchenkoPastur:
    """Limit law of the ``min(rows, columns)`` largest eigenvalues of the Gram matrix of a ``rows x columns`` matrix.

    The entries are independent with mean 0 and this ``variance``. Eigenvalues are squared singular values, divided by
    ``rows`` where ``scaled``. Zeros of the larger Gram matrix are left out, so that the density integrates to 1.
    """

    rows: int
    columns: int
    variance: float
    scaled: bool = False

    def __post_init__(self) -> None:
        if min(self.rows, self.columns) < 1 or not self.variance > 0:
            raise ValueError(
                f"{self.rows} x {self.columns} entries of variance {self.variance}; expected a matrix of positive "
                "sides and variance"
            )

    @property
    def ratio(self) -> float:
        """Smaller side over larger, in (0, 1]."""
        return min(self.rows, self.columns) / max(self.rows, self.columns)

    @property
    def unit(self) -> float:
        """Mean of the eigenvalues: the variance times the larger side, over ``rows`` where ``scaled``."""
        return self.variance * max(self.rows, self.columns) / (self.rows if self.scaled else 1)

    @property
    def low(self) -> float:
        """Lower end of the support."""
        return self.unit * (1 - self.ratio**0.5) ** 2

    @property
    def high(self) -> float:
        """Upper end of the support."""
        return self.unit * (1 + self.ratio**0.5) ** 2

    def density(self, x: Tensor) -> Tensor:
        """Density at ``x``, per unit of the eigenvalue: any shape, float64; 0 outside the support."""
        x = torch.as_tensor(x).double()
        inside = (x > self.low) & (x < self.high)
        z = torch.where(inside, x, self.unit)
        root = ((self.high - z) * (z - self.low)).clamp_min(0).sqrt()
        return torch.where(inside, root / (2 * torch.pi * self.ratio * self.unit * z), 0.0)

    def cdf(self, x: Tensor) -> Tensor:
        """Probability of an eigenvalue at most ``x``: any shape, float64.

        With ``x = 1 + q + 2 sqrt(q) cos t`` in units of ``unit`` the density is a rational function of ``cos t``, whose
        integral is elementary.
        """
        q, root = self.ratio, self.ratio**0.5
        x = torch.as_tensor(x).double() / self.unit
        cosine = ((x - 1 - q) / (2 * root)).clamp(-1, 1)
        t = cosine.acos()
        # atan((1 - root) / (1 + root) tan(t / 2)), by atan2 because the tangent has no value at pi.
        half = torch.atan2((1 - root) * (t / 2).sin(), (1 + root) * (t / 2).cos())
        above = ((1 + q) * t / 2 - root * t.sin() - (1 - q) * half) / (torch.pi * q)
        return torch.where(cosine > -1, (1 - above).clamp(0, 1), 0.0)

    def quantile(self, p: Tensor) -> Tensor:
        """The eigenvalue that has the probability ``p`` below it; any shape. Raises ``ValueError`` outside 0 to 1."""
        p = torch.as_tensor(p).double()
        if ((p < 0) | (p > 1)).any():
            raise ValueError(f"probabilities from {p.min():g} to {p.max():g}; expected 0 to 1")
        low, high = torch.full_like(p, self.low), torch.full_like(p, self.high)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = self.cdf(middle) < p
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2


def marchenko_pastur_of(matrix: Tensor, *, scaled: bool = False) -> MarchenkoPastur:
    """The law of a random matrix of the shape and the mean square entry of ``matrix`` ``(rows, columns)``.

    Raises ``ValueError`` for another number of axes, non-finite entries, or none that is not zero.
    """
    if matrix.dim() != 2 or not matrix.isfinite().all():
        raise ValueError(
            f"expected a finite matrix, got the shape {tuple(matrix.shape)}, finite: {matrix.isfinite().all()}"
        )
    return MarchenkoPastur(*matrix.shape, matrix.detach().double().square().mean().item(), scaled)


@dataclass(frozen=True)
class RandomDistance:
    """How far a spectrum is from that of a random matrix.

    ``distance`` is the Kolmogorov-Smirnov distance of the two laws, ``above`` and ``below`` count eigenvalues outside
    the support, ``largest`` is the largest eigenvalue relative to the upper end.
    """

    distance: float
    above: int
    below: int
    largest: float


def distance_from_random(eigenvalues: Tensor, law: MarchenkoPastur) -> RandomDistance:
    """Compare eigenvalues ``(n,)`` (in any order, with the law's scaling) with the law.

    Raises ``ValueError`` for none of them, and for negative or non-finite ones.
    """
    values = checked_values(eigenvalues, "eigenvalues").sort().values
    if not len(values):
        raise ValueError("no eigenvalues to compare with the law")
    ranks = torch.arange(len(values) + 1, dtype=torch.float64) / len(values)
    expected = law.cdf(values)
    distance = torch.maximum((ranks[1:] - expected).max(), (expected - ranks[:-1]).max()).item()
    above, below = int((values > law.high).sum()), int((values < law.low).sum())
    return RandomDistance(distance, above, below, values[-1].item() / law.high)
