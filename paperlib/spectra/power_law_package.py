"""The `powerlaw` package: an independent fit of small spectra, and other laws beside the power law.

Version 2 of the package differs from version 1 in what it takes for a fit. Exponents are bounded by 3 unless another
range is given, so that a candidate with a steeper tail is passed over; here the range is open. The two largest
distinct values are no candidates. An exponent outside 1.5 to 3 comes from a numerical optimiser that starts at the
closed form, and a candidate for which it fails is passed over. The standard error is called ``standard_err``.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import powerlaw
from torch import Tensor

from paperlib.spectra.power_law import PowerLaw, split_zeros

_RANGES = {"alpha": [1, None]}
ALTERNATIVES = ("lognormal", "exponential", "stretched_exponential", "truncated_power_law")


def fit_by_package(eigenvalues: Tensor) -> PowerLaw:
    """`paperlib.spectra.fit_power_law` by the `powerlaw` package; time grows with the square of the eigenvalues.

    A candidate with an exponent below 1.01 is passed over by the package, and so is one for which its optimiser fails.
    Raises ``ValueError`` for negative or non-finite eigenvalues and for fewer than five distinct ones.
    """
    positive, zeros = split_zeros(eigenvalues)
    if len(set(positive.tolist())) < 5:
        raise ValueError(f"{len(positive)} positive eigenvalues, fewer than five of them distinct; too few for a fit")
    with _quiet():
        # The package raises values to powers of the exponent: those of a steep tail overflow unless they are near 1.
        found = powerlaw.Fit(positive / positive[-1], verbose=0, parameter_ranges=_RANGES)
    tail = int(found.n_tail)
    return PowerLaw(float(found.alpha), float(positive[-tail]), float(found.D), tail, len(positive), zeros)


@dataclass(frozen=True)
class LawComparison:
    """Normalised ratio of log-likelihoods of the power law to another law on the same tail, and its p-value.

    A positive ratio speaks for the power law. The p-value is the probability of a ratio as far from 0 where both laws
    are equally good: above 0.1 or so the sign means nothing (Clauset et al. 2009, Section 5).
    """

    ratio: float
    p_value: float


def compare_laws(
    eigenvalues: Tensor, fit: PowerLaw, alternatives: Sequence[str] = ("lognormal", "exponential")
) -> dict[str, LawComparison]:
    """The tail of a fit under other laws, each fitted to it by maximum likelihood; names as in `ALTERNATIVES`.

    Raises ``ValueError`` for another name, and for negative or non-finite eigenvalues.
    """
    unknown = [name for name in alternatives if name not in ALTERNATIVES]
    if unknown:
        raise ValueError(f"unknown law {unknown[0]!r}; known: {', '.join(ALTERNATIVES)}")
    positive, _ = split_zeros(eigenvalues)
    with _quiet():
        # In units of x_min the optimiser's starting values fit, whatever the scale of the weights.
        found = powerlaw.Fit(positive / fit.x_min, xmin=1.0, verbose=0, parameter_ranges=_RANGES)
        ratios = {name: found.distribution_compare("power_law", name, normalized_ratio=True) for name in alternatives}
    return {name: LawComparison(float(ratio), float(p)) for name, (ratio, p) in ratios.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    # The package warns at most candidates; what comes out of them is checked here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
