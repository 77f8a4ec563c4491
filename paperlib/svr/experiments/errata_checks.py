"""Numbers that decide where a sentence of `svr` needs a correction; `errata` has the sentences."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from scipy import stats
from torch import Tensor, nn

from paperlib.intervals import Mean, mean_interval
from paperlib.svr.adjacency import Adjacency, adjacency
from paperlib.svr.dimensions import internal_dimensions
from paperlib.svr.experiments.moments import slice_variance, slice_variance_formula, uniform_directions
from paperlib.svr.neurons import neurons_of_weights, spectral_neurons
from paperlib.svr.null import null_law


def shown_rates(channels: int, p: float) -> dict[str, float]:
    """Share of the edges of a random network that is shown where p is a confidence, and where a survival probability.

    By the exact law; ``cut`` is the printed cut ``Q_n(p)`` times n.
    """
    limit, exact = null_law(channels, 1), null_law(channels, 1, "beta")
    return {
        "cut": channels * float(limit.ppf(p)),
        "confidence": float(exact.sf(limit.ppf(p))),
        "survival": float(exact.sf(limit.isf(p))),
    }


def slice_spread(channels: int, entries: int, draws: int, seed: int) -> dict[str, float]:
    """Variance of ``r_1^2`` simulated and by formula, and its deviation over its mean relative to ``sqrt(2 / c)``."""
    found = slice_variance(channels, entries, draws, seed)
    many = slice_variance_formula(10**6, entries)
    return {
        "simulated": found.mean,
        "low": found.low,
        "high": found.high,
        "formula": slice_variance_formula(channels, entries),
        "factor_of_many_channels": many**0.5 * entries / (2 / 10**6) ** 0.5,
    }


def mixed_moments(n: int, draws: int, seed: int) -> dict[str, Mean]:
    """``E x_1^2 x_2^2``, and the covariance of ``x_1^2`` and ``x_2^2``, of a uniform direction in R^n."""
    X = uniform_directions(draws, n, torch.Generator().manual_seed(seed)).square()
    return {
        "moment": mean_interval(X[:, 0] * X[:, 1]),
        "covariance": mean_interval((X[:, 0] - 1 / n) * (X[:, 1] - 1 / n)),
    }


def scaled_moments(n: int) -> dict[str, float]:
    """Second and fourth moment of ``chi^2(1) / n``, times ``n^2`` and ``n^4``."""
    law = null_law(n, 1)
    return {"second": float(law.moment(2)) * n**2, "fourth": float(law.moment(4)) * n**4}


def inner_products(channels: int, draws: int, seed: int) -> dict[str, float]:
    """Share of the inner products of uniform directions that is negative, and c times the mean of their squares."""
    generator = torch.Generator().manual_seed(seed)
    X, Y = (uniform_directions(draws, channels, generator) for _ in range(2))
    products = (X * Y).sum(1)
    return {
        "negative": (products < 0).double().mean().item(),
        "squared": channels * products.square().mean().item(),
    }


def change_by_doubling(channels: Sequence[int], draws: int, seed: int) -> dict[int, float]:
    """Mean ``|n<X,Y>^2 - 2n<X',Y'>^2|`` where X' and Y' are X and Y with as many Gaussian coordinates again.

    A sequence that converges in probability would have it vanish as n grows.
    """
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for n in channels:
        X, Y = (torch.randn(draws, 2 * n, generator=generator, dtype=torch.float64) for _ in range(2))
        values = [m * nn.functional.cosine_similarity(X[:, :m], Y[:, :m]).square() for m in (n, 2 * n)]
        found[n] = (values[0] - values[1]).abs().mean().item()
    return found


def planted_rectangle(rows: int, columns: int, channels: int) -> tuple[int, int]:
    """``(d_out, d_in)`` of a square matrix with two blocks of equal coefficients, the first ``(rows, columns)``.

    The later layer's first ``rows`` neurons read what the earlier one's first ``columns`` write, the others the rest.
    """
    found = torch.zeros(channels, channels, dtype=torch.float64)
    found[:rows, :columns], found[rows:, columns:] = 1 / columns, 1 / (channels - columns)
    dimensions = internal_dimensions(Adjacency(found, channels, 1))
    return dimensions.d_out, dimensions.d_in


def zeroed_inputs(images: Tensor) -> dict[str, float]:
    """What ReLU does to images in [0, 1]: the largest change, and the share of pixels below the mean of all."""
    return {
        "change": (images.relu() - images).abs().max().item(),
        "zeroed": (images < images.mean()).double().mean().item(),
    }


def convolution_sizes(blocks: Sequence[int], side: int) -> list[int]:
    """Side of the map of each convolution where ``blocks`` of them are followed by pooling by 2, 0-based."""
    return [side // 2**number for number, count in enumerate(blocks) for _ in range(count)]


def shapes_of_pair(channels: Sequence[int], seed: int) -> dict[str, tuple[int, ...]]:
    """Shapes of both flattenings' representations, as matrices, of two 3 x 3 convolutions, and of the mixed matrix."""
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(o, i, 3, 3, generator=generator) for i, o in pairwise(channels))
    written, co_read, read = (
        neurons_of_weights(first), neurons_of_weights(second, "co_svr"), neurons_of_weights(second)
    )  # fmt: skip
    return {
        "U_svr": tuple(written.U.flatten(0, 1).shape),
        "V_co_svr": tuple(co_read.V.flatten(0, 1).shape),
        "V_svr": tuple(read.V.flatten(0, 1).shape),
        "mixed": tuple(adjacency(co_read, written).coefficients.shape),
    }


def mean_by_shared_dimension(channels: int, draws: int, seed: int) -> dict[str, Mean]:
    """Mean coefficient of 3 x 3 convolutions times c, and times the ``c K^2`` entries of a filter."""
    means = []
    for draw in range(draws):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + draw)
        earlier, later = (torch.randn(*size, 3, 3, generator=generator) for size in ((channels, 4), (32, channels)))
        means.append(adjacency(neurons_of_weights(later), neurons_of_weights(earlier)).coefficients.mean())
    found = torch.stack(means)
    return {"channels": mean_interval(channels * found), "entries": mean_interval(9 * channels * found)}


def plain_reshape(seed: int) -> dict[str, float]:
    """Relative error of singular values of the co-SVR of a 3 x 3 convolution, with the axes moved and without.

    Against the SVR of the weights with outputs and inputs exchanged.
    """
    weight = torch.randn(8, 5, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    expected = torch.linalg.svdvals(weight.transpose(0, 1).flatten(1))
    moved = torch.linalg.svdvals(weight.permute(0, 2, 3, 1).reshape(-1, 5))
    plain = torch.linalg.svdvals(weight.reshape(-1, 5))
    return {name: _relative(found, expected) for name, found in (("moved", moved), ("plain", plain))}


def _relative(found: Tensor, expected: Tensor) -> float:
    return ((found - expected).abs().max() / expected.abs().max()).item()


def activation_change(models: Sequence[nn.Module]) -> float:
    """Largest difference of a coefficient between networks with the same weights and other activations."""
    found = []
    for model in models:
        layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
        neurons = [spectral_neurons(layer) for layer in layers]
        found.append([adjacency(b, a).coefficients for a, b in pairwise(neurons)])
    return max((a - b).abs().max().item() for other in found[1:] for a, b in zip(found[0], other, strict=True))


def band_of_four_deviations(images: int) -> dict[str, float]:
    """Probability inside four deviations of a normal law, and how much narrower the band of the mean of images is."""
    return {"probability": float(1 - 2 * stats.norm.sf(4)), "narrower": images**0.5}
