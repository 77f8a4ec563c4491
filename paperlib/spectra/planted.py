"""Spectra whose law is known, to see what a fit makes of them."""

import torch
from torch import Tensor

from paperlib.spectra.marchenko_pastur import MarchenkoPastur


def planted_power_law(
    count: int, alpha: float, generator: torch.Generator, *, x_min: float = 1.0, body: float = 0.0
) -> Tensor:
    """``count`` independent values, float64: a power law above ``x_min``, and a share ``body`` evenly below it.

    The number below is ``body * count``, rounded. Raises ``ValueError`` for an exponent of 1 or less, a share outside
    [0, 1), or an ``x_min`` that is not positive.
    """
    if not (alpha > 1 and 0 <= body < 1 and x_min > 0):
        raise ValueError(
            f"alpha is {alpha}, body {body}, x_min {x_min}; expected an exponent above 1, a share in [0, 1), x_min > 0"
        )
    uniform = torch.rand(count, generator=generator, dtype=torch.float64)
    below = round(body * count)
    tail = x_min * (1 - uniform[below:]) ** (-1 / (alpha - 1))
    return torch.cat([x_min * uniform[:below], tail])


def planted_random(count: int, law: MarchenkoPastur, generator: torch.Generator) -> Tensor:
    """``count`` independent values from the law of a random matrix, float64: no power law anywhere.

    Eigenvalues of one matrix keep more distance from each other than these.
    """
    return law.quantile(torch.rand(count, generator=generator, dtype=torch.float64))
