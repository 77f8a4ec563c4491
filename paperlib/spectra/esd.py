"""Empirical spectral distributions: the eigenvalues of a matrix's Gram matrix, zeros counted apart."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

Bins = Literal["linear", "logarithmic"]


@dataclass(frozen=True)
class Histogram:
    """``counts`` ``(n,)`` int64 of eigenvalues between ``edges`` ``(n + 1,)``, and their ``density`` ``(n,)``.

    The density is per unit of the eigenvalue, for logarithmic bins too, and integrates to 1 over the bins.
    """

    edges: Tensor
    counts: Tensor

    @cached_property
    def density(self) -> Tensor:
        return self.counts / (self.counts.sum() * self.edges.diff())


@dataclass(frozen=True)
class SpectralDistribution:
    """Non-zero eigenvalues of a Gram matrix, ``(n,)`` float64, decreasing, and the number of its ``zeros``.

    ``rows`` is the number of rows of the matrix. The eigenvalues are squared singular values, divided by ``rows``
    where ``scaled``.
    """

    eigenvalues: Tensor
    zeros: int
    rows: int
    scaled: bool

    @property
    def largest(self) -> float:
        return self.eigenvalues[0].item()

    def cdf(self, x: Tensor) -> Tensor:
        """Share of the non-zero eigenvalues that are at most ``x``; any shape, float64."""
        found = torch.searchsorted(self.eigenvalues.flip(0), x.double(), right=True)
        return found / len(self.eigenvalues)

    def histogram(self, count: int, bins: Bins = "logarithmic") -> Histogram:
        """``count`` bins from the smallest non-zero eigenvalue to the largest; where all are equal, a bin about them.

        Raises ``ValueError`` for fewer than one bin or another kind of bins.
        """
        if count < 1:
            raise ValueError(f"count is {count}; expected at least one bin")
        low, high = self.eigenvalues[-1], self.eigenvalues[0]
        if low == high:
            low, high = low * 0.9, high * 1.1
        if bins == "logarithmic":
            edges = torch.linspace(low.log(), high.log(), count + 1, dtype=torch.float64).exp()
        elif bins == "linear":
            edges = torch.linspace(low, high, count + 1, dtype=torch.float64)
        else:
            raise ValueError(f"bins are {bins!r}; expected linear or logarithmic")
        # Inner edges alone sort the values, so that rounding of the outer ones loses none.
        places = torch.bucketize(self.eigenvalues, edges[1:-1], right=True)
        return Histogram(edges, torch.bincount(places, minlength=count))


def empirical_spectral_distribution(
    singular_values: Tensor,
    shape: tuple[int, int],
    *,
    matrices: int = 1,
    scaled: bool = False,
    tolerance: float | None = None,
) -> SpectralDistribution:
    """Eigenvalues ``s^2`` of the smaller Gram matrix of a matrix of this ``shape`` (`convsvd`, Section 4.1).

    ``singular_values`` ``(n,)`` in any order, of one matrix or pooled over several ``matrices`` of the same shape, at
    most the smaller side of ``shape`` each. Those that are left out count as zero, as do those at most ``tolerance``
    times the largest (default: the larger side times float64's precision). With ``scaled`` the eigenvalues are divided
    by the number of rows, ``shape[0]``, as the authors' code does.

    Raises ``ValueError`` for negative or non-finite values, too many of them, or none above zero.
    """
    values = checked_values(singular_values, "singular values")
    count = matrices * min(shape)
    if len(values) > count:
        raise ValueError(f"{len(values)} singular values; {matrices} x ({shape[0]} x {shape[1]}) has {count}")
    values = values.sort(descending=True).values
    if tolerance is None:
        tolerance = max(shape) * torch.finfo(torch.float64).eps
    kept = values[values > tolerance * values[0]] if len(values) else values
    if not len(kept):
        raise ValueError(f"all {count} singular values are zero; expected a matrix that is not")
    eigenvalues = kept.square() / (shape[0] if scaled else 1)
    return SpectralDistribution(eigenvalues, count - len(kept), shape[0], scaled)


def checked_values(values: Tensor, name: str) -> Tensor:
    """One-dimensional float64 values on the CPU; raises ``ValueError`` for another shape, NaN, infinite, negative."""
    values = torch.as_tensor(values).detach().double().cpu()
    if values.dim() != 1:
        raise ValueError(f"{name} have the shape {tuple(values.shape)}; expected one axis")
    if not values.isfinite().all():
        raise ValueError(f"{int((~values.isfinite()).sum())} of {len(values)} {name} are not finite")
    if (values < 0).any():
        raise ValueError(f"{int((values < 0).sum())} of {len(values)} {name} are negative; expected none below zero")
    return values
