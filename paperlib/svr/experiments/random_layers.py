"""Adjacency coefficients of random layers against the null laws (`svr`, Sections 2.4, 4.3 and B.2, Figures 10, 11)."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from paperlib.intervals import Mean, mean_interval
from paperlib.plotting.svr_statistics import SurvivalPanel
from paperlib.svr.adjacency import Adjacency, adjacency
from paperlib.svr.neurons import Side, spectral_neurons
from paperlib.svr.null import Law, null_law, threshold

Weights = Literal["normal", "uniform"]


@dataclass(frozen=True)
class RandomPair:
    """Two consecutive layers to be drawn at random, and the flattening in which each is decomposed.

    ``exact`` says whether the Beta law is that of every single coefficient between normal weights; where it is not,
    it has the exact mean and variance (see `paperlib.svr.null_law`).
    """

    title: str
    layers: Callable[[], tuple[nn.Module, nn.Module]]
    sides: tuple[Side, Side] = ("svr", "svr")
    exact: bool = True


def _convolutions(c: int, k: int | tuple[int, int], earlier: int = 1, later: int = 1):
    return lambda: (nn.Conv2d(16, c, k, groups=earlier), nn.Conv2d(c, 32, k, groups=later))


def _flattened():
    return nn.Conv2d(16, 16, 3), nn.Linear(16 * 49, 32)


# The fully connected pair and the first convolutions have the sizes of the authors' code.
PAIRS: dict[str, RandomPair] = {
    "dense": RandomPair("fully connected, c = 64", lambda: (nn.Linear(16, 64), nn.Linear(64, 32))),
    "conv3": RandomPair("3 x 3, c = 5", _convolutions(5, 3)),
    "conv5": RandomPair("5 x 5, c = 16", _convolutions(16, 5)),
    "conv7": RandomPair("7 x 7, c = 16", _convolutions(16, 7)),
    "conv1x3": RandomPair("1 x 3, c = 16", _convolutions(16, (1, 3))),
    "grouped": RandomPair("3 x 3, earlier in 4 groups", _convolutions(16, 3, earlier=4)),
    "grouped_later": RandomPair("3 x 3, later in 4 groups", _convolutions(16, 3, later=4), exact=False),
    "depthwise": RandomPair("3 x 3, later depthwise", _convolutions(16, 3, later=16)),
    "flattened": RandomPair("3 x 3 to fully connected", _flattened),
    "flattened_co": RandomPair("the same, co-SVR", _flattened, ("co_svr", "co_svr"), exact=False),
    "co_svr": RandomPair("3 x 3, co-SVR", _convolutions(16, 3), ("co_svr", "co_svr")),
    "mixed": RandomPair("3 x 3, SVR to co-SVR", _convolutions(16, 3), ("svr", "co_svr")),
}


def random_adjacency(pair: RandomPair, weights: Weights, seed: int) -> Adjacency:
    """The adjacency of one draw: weights standard normal or uniform on [-1, 1], drawn by the seed alone.

    Raises ``ValueError`` for another law of the weights.
    """
    if weights not in ("normal", "uniform"):
        raise ValueError(f"weights are {weights!r}; expected normal or uniform")
    generator = torch.Generator().manual_seed(seed)
    # Layers draw weights when they are made; those are replaced, and the global generator stays as it was.
    with torch.random.fork_rng(devices=[]):
        layers = pair.layers()
    neurons = []
    for layer, side in zip(layers, pair.sides, strict=True):
        draw = torch.randn if weights == "normal" else _uniform
        layer.weight.data = draw(layer.weight.shape, generator=generator)
        neurons.append(spectral_neurons(layer, side))
    earlier, later = neurons
    return adjacency(later, earlier)


def _uniform(shape: torch.Size, generator: torch.Generator) -> Tensor:
    return 2 * torch.rand(shape, generator=generator) - 1


@dataclass(frozen=True)
class CoefficientSample:
    """Coefficients of independent draws of one pair of random layers.

    ``all`` ``(draws, M_later, M_earlier)``: those within a draw depend on each other (rows sum to 1 where the earlier
    layer writes all channels). ``single`` ``(draws,)`` holds one of each draw, at a place drawn at random: these are
    independent, and what tests of their law may use.
    """

    all: Tensor
    single: Tensor
    channels: float
    degrees: float


def sample_coefficients(pair: RandomPair, weights: Weights, draws: int, seed: int) -> CoefficientSample:
    """Draw the pair ``draws`` times, each time with a seed of its own."""
    found = [random_adjacency(pair, weights, seed * 1_000_003 + draw) for draw in range(draws)]
    values = torch.stack([one.coefficients for one in found])
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(values[0].numel(), (draws, 1), generator=generator)
    single = values.flatten(1).gather(1, places).squeeze(1)
    return CoefficientSample(values, single, found[0].channels, found[0].degrees)


@dataclass(frozen=True)
class Fit:
    """How far a sample is from a null law: Kolmogorov-Smirnov distances.

    ``distance`` is that of all coefficients together; ``single`` that of the independent ones, with its ``p_value``.
    """

    distance: float
    single: float
    p_value: float


def fit(sample: CoefficientSample, law: Law) -> Fit:
    """Compare a sample with a null law, by the Kolmogorov-Smirnov test on one coefficient of each draw."""
    cdf = null_law(sample.channels, sample.degrees, law).cdf
    test = stats.kstest(sample.single.numpy(), cdf)
    together = stats.kstest(sample.all.flatten().numpy(), cdf).statistic
    return Fit(float(together), float(test.statistic), float(test.pvalue))


def shown_rate(sample: CoefficientSample, p: float, law: Law = "chi2") -> Mean:
    """Share of the coefficients above the threshold for ``p``, with its interval over the independent draws."""
    cut = threshold(sample.channels, sample.degrees, p, law)
    return mean_interval((sample.all > cut).double().mean((1, 2)))


def fit_values(sample: CoefficientSample, p: float) -> dict[str, object]:
    """What a result records of a sample: how it fits both laws, and the rate of edges shown at ``p``.

    ``rate`` is the measured one above the limit's threshold, ``exact_rate`` that of the Beta law.
    """
    cut = threshold(sample.channels, sample.degrees, p, "chi2")
    return {
        "channels": sample.channels,
        "degrees": sample.degrees,
        "chi2": asdict(fit(sample, "chi2")),
        "beta": asdict(fit(sample, "beta")),
        "rate": shown_rate(sample, p).as_dict(),
        "exact_rate": float(null_law(sample.channels, sample.degrees, "beta").sf(cut)),
    }


def smallest_p_value(fits: Mapping[str, Mapping[str, dict]]) -> dict[str, float]:
    """The smallest p-value of the Beta law over the pairs where it is exact, alone and times the number of them."""
    found = [fits[name]["beta"]["p_value"] for name, pair in PAIRS.items() if pair.exact]
    return {"smallest": min(found), "corrected": min(1.0, min(found) * len(found))}


def survival_panels(samples: Mapping[str, CoefficientSample]) -> list[SurvivalPanel]:
    """Panels of `paperlib.plotting.draw_survival`, over the range that both laws leave to one in 100,000."""
    panels = []
    for name, sample in samples.items():
        scale = sample.channels * sample.degrees
        laws = [null_law(sample.channels, sample.degrees, law) for law in ("chi2", "beta")]
        points = np.linspace(0, scale * float(laws[0].isf(1e-5)), 40)[1:]
        limit, exact = (law.sf(points / scale) for law in laws)
        measured = survival(sample, torch.from_numpy(points)).numpy()
        panels.append(SurvivalPanel(PAIRS[name].title, points, measured, limit, exact))
    return panels


def survival(sample: CoefficientSample, points: Tensor) -> Tensor:
    """Shares of the coefficients above each of the ``points`` ``(k,)``: mean and standard error over draws, ``(2, k)``.

    Points are values of ``channels * degrees * a``, whose law is near ``chi^2(degrees)``.
    """
    scaled = sample.channels * sample.degrees * sample.all.flatten(1)
    # The first place in each sorted draw that is above a point.
    below = torch.searchsorted(scaled.sort(1).values, points.expand(len(scaled), -1).contiguous(), right=True)
    shares = 1 - below.double() / scaled.shape[1]
    return torch.stack([shares.mean(0), shares.std(0) / len(shares) ** 0.5])
