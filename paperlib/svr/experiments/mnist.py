"""The paper's first example, a small fully connected network before and after training (`svr`, Section 3.1)."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from paperlib.datasets import ImageData
from paperlib.subspaces.layers import linear_layer
from paperlib.svr.adjacency import Adjacency
from paperlib.svr.dimensions import internal_dimensions
from paperlib.svr.edges import significant_edges
from paperlib.svr.experiments.pruning import Pruned, prune
from paperlib.svr.null import Law, null_law, threshold
from paperlib.svr.pruning.compression import RankReading, compress, internal_ranks
from paperlib.svr.representation import Representation, representation
from paperlib.training import Recipe, accuracy, predict, trained_network


@dataclass(frozen=True)
class Structure:
    """What stands out in the adjacency of two layers, and how much of it chance would give.

    ``inside`` is the mean coefficient of the block of the internal dimensions over that of random directions, 1 / c;
    ``largest`` the largest coefficient; ``edges`` are the significant ones and ``expected`` those of chance.
    """

    later: str
    earlier: str
    d_out: int
    d_in: int
    excess: float
    inside: float
    largest: float
    edges: int
    expected: float


def structures(found: Representation, p: float, law: Law = "chi2") -> tuple[Structure, ...]:
    """One entry for each connection; edges are tested one by one at ``p``.

    Raises ``ValueError`` for p outside (0, 1).
    """
    edges = significant_edges(found, p, law)
    shown = edges.connection.bincount(minlength=len(found.connections)).tolist()
    return tuple(
        _structure(link.adjacency, found.layers[link.later].path, found.layers[link.earlier].path, count, p)
        for link, count in zip(found.connections, shown, strict=True)
    )


def _structure(matrix: Adjacency, later: str, earlier: str, edges: int, p: float) -> Structure:
    best = internal_dimensions(matrix)
    inside = matrix.coefficients[: best.d_out, : best.d_in].double().mean().item() * matrix.channels
    largest, expected = matrix.coefficients.max().item(), p * matrix.coefficients.numel()
    return Structure(later, earlier, best.d_out, best.d_in, best.excess, inside, largest, edges, expected)


@dataclass(frozen=True)
class PruningStudy:
    """A trained network with fewer spectral neurons: accuracies, parameters, and a small network trained instead.

    ``retrained`` is the accuracy of a network whose hidden layers have as many units as ``pruned.ranks`` says, trained
    from the beginning in the same way; ``parameters`` count the network compressed by SVD.
    """

    pruned: Pruned
    parameters_before: int
    parameters: int
    retrained: float


def prune_trained(
    recipe: Recipe, images: Tensor, test: ImageData, reading: RankReading, draws: int, seed: int
) -> PruningStudy:
    """Prune the recipe's fully connected network by its internal dimensions; ``images`` is an example of its input."""
    model = trained_network(recipe).model
    ranks = internal_ranks(representation(model, images), reading)
    compressed = compress(model, ranks)
    widths = (recipe.options["widths"][0], *list(ranks.values())[:-1], recipe.options["widths"][-1])
    narrow = recipe.model_copy(update={"options": recipe.options | {"widths": widths}})
    return PruningStudy(
        pruned=prune(model, ranks, test, draws, torch.Generator().manual_seed(seed)),
        parameters_before=compressed.parameters_before,
        parameters=compressed.parameters,
        retrained=trained_network(narrow).summary.test_accuracy,
    )


@dataclass(frozen=True)
class Invariance:
    """What scaling each layer by a positive number changes: coefficients at most, and whether any class did."""

    coefficients: float
    same_classes: bool


def scale_invariance(model: nn.Module, images: Tensor, factors: Sequence[float]) -> Invariance:
    """Multiply the weights of the linear layers, in running order, by positive ``factors`` (`svr`, Section 2.3)."""
    before = representation(model, images[:1])
    scaled = copy.deepcopy(model)
    for layer, factor in zip(before.layers, factors, strict=True):
        linear_layer(scaled, layer.path).weight.data.mul_(factor)
    after = representation(scaled, images[:1])
    changes = [
        (one.adjacency.coefficients - other.adjacency.coefficients).abs().max().item()
        for one, other in zip(before.connections, after.connections, strict=True)
    ]
    same = predict(model, images).argmax(1) == predict(scaled, images).argmax(1)
    return Invariance(max(changes), bool(same.all()))


def exact_rate(channels: int, degrees: int, p: float) -> float:
    """How often a coefficient of random directions is above the cut that the chi-squared law sets for ``p``."""
    return float(null_law(channels, degrees, "beta").sf(threshold(channels, degrees, p, "chi2")))


def seed_values(recipe: Recipe, test: ImageData, reading: RankReading) -> dict[str, float]:
    """Of one training: accuracy, its change by pruning, and the statements of the first pair of hidden layers."""
    model = trained_network(recipe).model
    found = representation(model, test.images[:1])
    before = accuracy(model, test)
    pruned = accuracy(compress(model, internal_ranks(found, reading)).model, test)
    inner = asdict(structures(found, 0.5)[1])
    kept = {name: inner[name] for name in ("d_out", "d_in", "excess", "inside", "largest")}
    return {"accuracy": before, "change": pruned - before} | kept
