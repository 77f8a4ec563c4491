"""Edges of a network before and after training: how many there are, how strong, and where (`svr`, Section 3.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from paperlib.intervals import Mean, mean_interval
from paperlib.svr.adjacency import Adjacency, adjacency
from paperlib.svr.neurons import spectral_neurons
from paperlib.svr.null import p_values
from paperlib.svr.samples import sample_dimensions
from paperlib.training import Recipe, initial_network
from paperlib.training.ensembles import Ensemble, with_seed

_MEASURES = ("count", "largest", "leading", "excess")


@dataclass(frozen=True)
class EdgeCounts:
    """Edges of one pair of layers in R networks, float64 ``(R,)`` each.

    ``count`` is the number of edges, ``largest`` the largest coefficient, ``leading`` the share of the edges between
    the first quarter of the spectral neurons of both layers (a sixteenth of the pairs where the numbers are multiples
    of 4), and ``excess`` that of the internal dimensions. ``pairs`` is the number of pairs of spectral neurons.
    """

    count: Tensor
    largest: Tensor
    leading: Tensor
    excess: Tensor
    pairs: int


def trained_counts(ensemble: Ensemble, p: float) -> list[EdgeCounts]:
    """For each pair of consecutive layers the edges of all networks of the ensemble at ``p``."""
    return _counts(ensemble.network, range(len(ensemble)), p)


def untrained_counts(recipe: Recipe, seeds: Sequence[int], p: float) -> list[EdgeCounts]:
    """The same of the networks as the seeds draw them."""
    return _counts(lambda seed: initial_network(with_seed(recipe, seed)), seeds, p)


def _counts(network: Callable[[int], nn.Module], numbers: Sequence[int], p: float) -> list[EdgeCounts]:
    chains = [_chain(network(number)) for number in numbers]
    return [_of_pair(found, p) for found in zip(*chains, strict=True)]


def _chain(model: nn.Module) -> list[Adjacency]:
    neurons = [spectral_neurons(module) for module in model.modules() if isinstance(module, nn.Linear)]
    return [adjacency(later, earlier) for earlier, later in pairwise(neurons)]


def _of_pair(found: Sequence[Adjacency], p: float) -> EdgeCounts:
    edges = [p_values(one) <= p for one in found]
    counts = torch.stack([one.sum() for one in edges]).double()
    rows, columns = edges[0].shape
    leading = torch.stack([one[: rows // 4, : columns // 4].sum() for one in edges]).double()
    return EdgeCounts(
        counts,
        torch.stack([one.coefficients.max() for one in found]),
        leading / counts.clamp_min(1),
        sample_dimensions(found).excess,
        rows * columns,
    )


def count_values(pairs: Sequence[EdgeCounts]) -> list[dict[str, dict]]:
    """What a result records of each pair of layers: means with their 95 % intervals over the networks."""
    return [{name: mean_interval(getattr(one, name)).as_dict() for name in _MEASURES} for one in pairs]


def count_rows(before: Sequence[EdgeCounts], after: Sequence[EdgeCounts], p: float) -> list[list[str]]:
    """Rows of a table: layers, when, edges, edges by chance, largest, among the leading quarters, excess."""
    rows = []
    for place, states in enumerate(zip(before, after, strict=True)):
        for when, one in zip(("before", "after"), states, strict=True):
            count, *others = (mean_interval(getattr(one, name)) for name in _MEASURES)
            found = [f"{mean.mean:.2f} ± {mean.high - mean.mean:.2f}" for mean in others]
            edges = f"{count.mean:.0f} ± {count.high - count.mean:.0f}"
            rows.append([f"{place} and {place + 1}", when, edges, f"{p * one.pairs:.0f}", *found])
    return rows


def untrained_rates(widths: Sequence[int], p: float, seeds: Sequence[int]) -> dict[str, Mean]:
    """Shares of the edges that fully connected networks show at ``p`` as the seeds draw them, without bias.

    By the numbers of the two layers, such as ``"0 and 1"``, and over ``"all"``; intervals over the networks.
    """
    recipe = Recipe(
        architecture="fully_connected",
        options={"widths": tuple(widths), "activation": "relu"},
        data="none",
        epochs=1,
        learning_rate=1.0,
    )
    found = untrained_counts(recipe, seeds, p)
    shares = {f"{place} and {place + 1}": mean_interval(one.count / one.pairs) for place, one in enumerate(found)}
    together = sum(one.count for one in found) / sum(one.pairs for one in found)
    return shares | {"all": mean_interval(together)}
