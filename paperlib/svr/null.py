"""What coefficients chance alone gives, and which ones it does not explain (`svr`, Sections 2.4, 4.3, A)."""

from typing import Literal

import torch
from scipy import stats
from torch import Tensor

from paperlib.svr.adjacency import Adjacency

Law = Literal["chi2", "beta"]


def null_law(channels: float, degrees: float, law: Law = "chi2"):
    """The law of a coefficient between independent uniform directions, as a frozen `scipy.stats` distribution.

    ``"chi2"``: ``chi^2(degrees) / (channels degrees)``, the limit for many channels (Theorems 2.1 and 4.1);
    ``"beta"``: ``Beta(degrees / 2, (channels - 1) degrees / 2)``. Both have the mean ``1 / channels``.

    The Beta law is exact for any number of channels where the kernel belongs to one of the two layers alone and they
    share all channels, or the kernel's layer all of them, and for depthwise convolutions. In the other cases (kernels
    on both sides, other groups before a later layer in the SVR, a part of the channels in the co-SVR) it has the exact
    mean and variance; its thresholds for 0.15 are then passed by 0.14 to 0.15 of chance, those for 0.001 by 0.0010 to
    0.0019.

    Raises ``ValueError`` for another law, fewer than one channel or no degree, or the Beta law of a single channel,
    where every coefficient is 1.

    In the book: thm-chance-adjacency.
    """
    if channels < 1 or degrees <= 0:
        raise ValueError(
            f"{channels} channels and {degrees} degrees of freedom; expected at least one channel and some"
        )
    if law == "chi2":
        return stats.chi2(degrees, scale=1 / (channels * degrees))
    if law != "beta":
        raise ValueError(f"law is {law!r}; expected chi2 or beta")
    if channels == 1:
        raise ValueError("with a single channel every coefficient is 1; there is nothing to test")
    return stats.beta(degrees / 2, (channels - 1) * degrees / 2)


def threshold(channels: float, degrees: float, p: float, law: Law = "chi2") -> float:
    """The value that a coefficient of the null model exceeds with probability ``p`` in (0, 1).

    The paper's figures read p so: with 0.15 a random network shows 15 % of its edges. Raises ``ValueError``.

    In the book: thm-chance-adjacency.
    """
    check_probability(p)
    return float(null_law(channels, degrees, law).isf(p))


def p_values(found: Adjacency, law: Law = "chi2") -> Tensor:
    """For each coefficient the probability that the null model gives one as large; float64, same shape, on the CPU.

    That of coefficients that are 0 by construction is 1.
    """
    values = law_of(found, law).sf(found.coefficients.cpu().numpy())
    return torch.as_tensor(values, dtype=torch.float64)


def law_of(found: Adjacency, law: Law = "chi2"):
    """The `null_law` of the coefficients that are not 0 by construction. Raises ``ValueError`` as that does."""
    return null_law(found.channels * found.share, found.degrees, law)


def check_probability(p: float) -> None:
    """Raise ``ValueError`` for a p outside (0, 1)."""
    if not 0 < p < 1:
        raise ValueError(f"p is {p}; expected a probability in (0, 1)")
