"""What coefficients chance alone gives, and which ones it does not explain (`svr`, Sections 2.4, 4.3, A)."""

from dataclasses import dataclass
from typing import Literal

import torch
from scipy import stats
from torch import Tensor

from paperlib.svr.adjacency import Adjacency

Law = Literal["chi2", "beta"]


def null_law(channels: int, degrees: int, law: Law = "chi2"):
    """The law of a coefficient between independent uniform directions, as a frozen `scipy.stats` distribution.

    ``"chi2"``: ``chi^2(degrees) / (channels degrees)``, the limit for many channels (Theorems 2.1 and 4.1);
    ``"beta"``: ``Beta(degrees / 2, (channels - 1) degrees / 2)``, exact for any number of channels where the kernel
    belongs to one of the two layers alone. Both have the mean ``1 / channels``.

    Raises ``ValueError`` for another law, fewer than one channel or degree, or the exact law of a single channel,
    where every coefficient is 1.
    """
    if channels < 1 or degrees < 1:
        raise ValueError(f"{channels} channels and {degrees} degrees of freedom; expected at least one of each")
    if law == "chi2":
        return stats.chi2(degrees, scale=1 / (channels * degrees))
    if law != "beta":
        raise ValueError(f"law is {law!r}; expected chi2 or beta")
    if channels == 1:
        raise ValueError("with a single channel every coefficient is 1; there is nothing to test")
    return stats.beta(degrees / 2, (channels - 1) * degrees / 2)


def threshold(channels: int, degrees: int, p: float, law: Law = "chi2") -> float:
    """The value that a coefficient of the null model exceeds with probability ``p`` in (0, 1).

    The paper's figures read p so: with 0.15 a random network shows 15 % of its edges. Raises ``ValueError``.
    """
    _check_probability(p)
    return float(null_law(channels, degrees, law).isf(p))


def p_values(found: Adjacency, law: Law = "chi2") -> Tensor:
    """For each coefficient the probability that the null model gives one as large; float64, same shape."""
    values = null_law(found.channels, found.degrees, law).sf(found.coefficients.cpu().numpy())
    return torch.as_tensor(values, dtype=torch.float64)


@dataclass(frozen=True)
class Significance:
    """Which coefficients are significant: ``edges`` bool like the coefficients, and the ``p_value`` each had to reach.

    ``expected_false`` is the number of edges that would be shown if all coefficients were chance.
    """

    edges: Tensor
    cut: float
    expected_false: float


def significant(found: Adjacency, p: float, law: Law = "chi2", *, false_discovery_rate: bool = False) -> Significance:
    """The edges of two layers that chance does not explain.

    Each coefficient is tested by itself at ``p``, as in the paper; with ``false_discovery_rate`` at most a share p of
    the edges shown is false on average (Benjamini and Hochberg 1995, over the edges of this pair of layers). Then
    ``cut`` is the largest p-value shown, 0 if none is, and if all were chance at least one edge would be shown with
    probability p at most.
    """
    _check_probability(p)
    values = p_values(found, law)
    if not false_discovery_rate:
        return Significance(values <= p, p, p * values.numel())
    ordered = values.flatten().sort().values
    ranks = torch.arange(1, len(ordered) + 1, dtype=torch.float64)
    passing = ordered[ordered <= p * ranks / len(ordered)]
    cut = passing[-1].item() if len(passing) else 0.0
    edges = values <= cut if len(passing) else torch.zeros_like(values, dtype=torch.bool)
    return Significance(edges, cut, cut * values.numel())


def _check_probability(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"p is {p}; expected a probability in (0, 1)")
