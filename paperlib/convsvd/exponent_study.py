"""What the fit of Section 4.1 makes of spectra whose law is known, by the number of eigenvalues."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from paperlib.spectra.marchenko_pastur import MarchenkoPastur
from paperlib.spectra.planted import planted_power_law, planted_random
from paperlib.spectra.power_law import fit_power_law

POWER_LAW, UPPER_HALF, RANDOM = "a power law", "a power law in the upper half", "a random matrix"


def exponent_samples(counts: Sequence[int], alpha: float, *, draws: int, seed: int) -> dict[str, dict[int, Tensor]]:
    """Exponents ``(draws,)`` fitted to drawn spectra, by law and number of eigenvalues.

    The laws: a power law throughout, one in the upper half above an even spread, and that of a random matrix with
    nine times as many columns as rows, as a 3 x 3 convolution has them, where there is no exponent to find.
    """
    laws: dict[str, Callable[[int, torch.Generator], Tensor]] = {
        POWER_LAW: lambda count, generator: planted_power_law(count, alpha, generator),
        UPPER_HALF: lambda count, generator: planted_power_law(count, alpha, generator, body=0.5),
        RANDOM: lambda count, generator: planted_random(count, MarchenkoPastur(count, 9 * count, 1.0), generator),
    }
    return {law: {count: _exponents(draw, count, draws, seed) for count in counts} for law, draw in laws.items()}


def _exponents(draw: Callable[[int, torch.Generator], Tensor], count: int, draws: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.tensor([fit_power_law(draw(count, generator)).alpha for _ in range(draws)], dtype=torch.float64)


def sample_summary(samples: dict[str, dict[int, Tensor]]) -> dict[str, dict[str, dict[str, float]]]:
    """Median, mean and the middle 95 % of the exponents of each law and count, for a result file."""
    ends = torch.tensor([0.025, 0.975], dtype=torch.float64)
    return {
        law: {
            str(count): {
                "median": values.median().item(),
                "mean": values.mean().item(),
                "low": values.quantile(ends)[0].item(),
                "high": values.quantile(ends)[1].item(),
            }
            for count, values in by_count.items()
        }
        for law, by_count in samples.items()
    }
