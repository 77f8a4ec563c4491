"""Errors and goodness of a power-law fit by resampling (Clauset, Shalizi and Newman 2009, Sections 3.3 and 4.1)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paperlib.spectra.power_law import PowerLaw, ShortSpectrumError, fit_power_law, split_zeros
from paperlib.spectra.power_law_search import Floats


@dataclass(frozen=True)
class BootstrapError:
    """Standard deviation ``error`` of the exponent over resamplings, and its percentile interval ``low`` to ``high``.

    ``x_min`` is chosen anew for each, so that the error holds what choosing it adds. ``failed`` of the ``draws``
    resamplings had too few distinct values for a fit and are left out.
    """

    error: float
    low: float
    high: float
    draws: int
    failed: int


def bootstrap_error(
    eigenvalues: Tensor, *, draws: int = 200, seed: int = 0, level: float = 0.95, smallest_tail: int = 3
) -> BootstrapError:
    """The spread of the exponent when the positive eigenvalues are drawn with replacement ``draws`` times.

    Raises ``ValueError`` for fewer than two draws, and what `fit_power_law` raises for these eigenvalues.
    """
    if draws < 2:
        raise ValueError(f"draws is {draws}; a spread needs at least two")
    fit_power_law(eigenvalues, smallest_tail=smallest_tail)
    positive, _ = split_zeros(eigenvalues)
    generator = np.random.default_rng(seed)
    alphas = []
    for _ in range(draws):
        drawn = positive[generator.integers(len(positive), size=len(positive))]
        try:
            alphas.append(fit_power_law(torch.from_numpy(drawn), smallest_tail=smallest_tail).alpha)
        except ShortSpectrumError:
            continue
    if len(alphas) < 2:
        raise ShortSpectrumError(f"{draws - len(alphas)} of {draws} resamplings had too few distinct values for a fit")
    low, high = np.quantile(alphas, [(1 - level) / 2, (1 + level) / 2])
    return BootstrapError(float(np.std(alphas, ddof=1)), float(low), float(high), draws, draws - len(alphas))


def goodness_of_fit(
    eigenvalues: Tensor, fit: PowerLaw, *, draws: int = 200, seed: int = 0, smallest_tail: int = 3
) -> float:
    """Share of samples from the fitted law whose own fit is as far away as that of the eigenvalues.

    Each sample has as many values: from the power law with the probability of the tail, else drawn from the values
    below it. A share of 0.1 or less speaks against the power law; with few values it seldom gets there.
    Raises ``ValueError`` for no draw, and what `fit_power_law` raises for these eigenvalues.
    """
    if draws < 1:
        raise ValueError(f"draws is {draws}; expected at least one")
    positive, _ = split_zeros(eigenvalues)
    body = positive[positive < fit.x_min]
    generator = np.random.default_rng(seed)
    found = [
        fit_power_law(torch.from_numpy(_sample(fit, body, len(positive), generator)), smallest_tail=smallest_tail)
        for _ in range(draws)
    ]
    return sum(one.distance >= fit.distance for one in found) / draws


def _sample(fit: PowerLaw, body: Floats, count: int, generator: np.random.Generator) -> Floats:
    tail = count if not len(body) else generator.binomial(count, fit.tail / count)
    steep = fit.x_min * (1 - generator.random(tail)) ** (-1 / (fit.alpha - 1))
    return np.concatenate([steep, body[generator.integers(len(body), size=count - tail)] if tail < count else body[:0]])
