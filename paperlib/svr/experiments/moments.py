"""Moments of uniform directions, simulated and by formula, and how near the null laws are to their limit (`svr`, A)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paperlib.intervals import Mean, mean_interval
from paperlib.svr.null import null_law


def uniform_directions(count: int, dimension: int, generator: torch.Generator) -> Tensor:
    """Independent uniform points ``(count, dimension)`` of the unit sphere, float64."""
    draws = torch.randn(count, dimension, dtype=torch.float64, generator=generator)
    return draws / draws.norm(dim=1, keepdim=True)


def direction_moments(n: int, draws: int, seed: int, level: float = 0.95) -> dict[str, Mean]:
    """Moments of independent uniform X, Y on the sphere of R^n, with their intervals (Proposition A.1).

    ``"second"`` is E<X,Y>^2, ``"fourth"`` E<X,Y>^4 and ``"mixed"`` E x_1^2 x_2^2.
    """
    generator = torch.Generator().manual_seed(seed)
    products, mixed = [], []
    for count in _parts(draws):
        X, Y = (uniform_directions(count, n, generator) for _ in range(2))
        products.append((X * Y).sum(1).square())
        mixed.append((X[:, 0] * X[:, 1]).square())
    second = torch.cat(products)
    found = {"second": second, "fourth": second.square(), "mixed": torch.cat(mixed)}
    return {name: mean_interval(values, level) for name, values in found.items()}


def _parts(draws: int) -> list[int]:
    """Counts that add up to ``draws``, each of which fits into memory in any dimension of interest."""
    whole, rest = divmod(draws, 20_000)
    return [20_000] * whole + [rest] * (rest > 0)


def direction_formulas(n: int) -> dict[str, float]:
    """The values that the paper derives for `direction_moments`: 1/n, 3/(n^2 + 2n) and 1/(n^2 + 2n)."""
    return {"second": 1 / n, "fourth": 3 / (n * n + 2 * n), "mixed": 1 / (n * n + 2 * n)}


def slice_variance(channels: int, entries: int, draws: int, seed: int, level: float = 0.95) -> Mean:
    """Variance of the share ``r_1^2`` of a uniform filter's energy that lies in one of its ``entries`` kernel entries.

    The filter has ``channels * entries`` weights. The mean of the share, ``1 / entries``, is exact, so that the
    variance is a mean too and has an interval (Proposition A.2).
    """
    generator = torch.Generator().manual_seed(seed)
    filters = (uniform_directions(count, channels * entries, generator) for count in _parts(draws))
    share = torch.cat([part[:, :channels].square().sum(1) for part in filters])
    return mean_interval((share - 1 / entries).square(), level)


def slice_variance_formula(channels: int, entries: int) -> float:
    """``(2 K^2 - 2) / (K^4 (c K^2 + 2))`` for c channels and K^2 entries (Proposition A.2)."""
    return (2 * entries - 2) / (entries**2 * (channels * entries + 2))


def law_distance(channels: int, degrees: int, points: int = 20_000) -> float:
    """Kolmogorov-Smirnov distance of the exact null law from its chi-square limit, on ``points`` in (0, 1).

    It falls about as ``1 / channels`` (Theorems 2.1 and 4.1). The points lie dense near 0, where the laws have
    most of their mass.
    """
    x = (np.arange(1, points + 1) / points) ** 3
    first, second = (null_law(channels, degrees, law).cdf(x) for law in ("chi2", "beta"))
    return float(np.abs(first - second).max())


@dataclass(frozen=True)
class MomentCheck:
    """A simulated moment beside its formula; ``deviation`` is their difference in standard errors of the simulation."""

    quantity: str
    case: str
    found: Mean
    formula: float

    @property
    def deviation(self) -> float:
        return (self.found.mean - self.formula) / (self.found.deviation / self.found.count**0.5)

    def as_dict(self) -> dict[str, object]:
        return {
            "quantity": self.quantity,
            "case": self.case,
            "found": self.found.as_dict(),
            "formula": self.formula,
            "deviation": self.deviation,
        }


_QUANTITIES = {"second": "E<X,Y>^2", "fourth": "E<X,Y>^4", "mixed": "E x_1^2 x_2^2"}


def moment_checks(
    dimensions: Sequence[int], filters: Sequence[tuple[int, int]], draws: int, seed: int
) -> list[MomentCheck]:
    """Propositions A.1 in each of the ``dimensions`` and A.2 for ``filters`` of (channels, kernel entries)."""
    checks = []
    for n in dimensions:
        formulas = direction_formulas(n)
        for name, found in direction_moments(n, draws, seed).items():
            checks.append(MomentCheck(_QUANTITIES[name], f"n = {n}", found, formulas[name]))
    for c, k in filters:
        case = f"c = {c}, {k} kernel entries"
        checks.append(MomentCheck("Var r_1^2", case, slice_variance(c, k, draws, seed), slice_variance_formula(c, k)))
    return checks
