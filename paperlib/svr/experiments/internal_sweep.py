"""Internal dimensions against the width of a network, for several optimisers (`svr`, Section 3.2, Figure 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.datasets import ImageData
from paperlib.svr.adjacency import Adjacency, adjacency
from paperlib.svr.neurons import spectral_neurons
from paperlib.svr.samples import DimensionSample, chance_dimensions, sample_dimensions
from paperlib.training import Recipe, initial_network
from paperlib.training.ensemble_cache import trained_ensemble
from paperlib.training.ensembles import with_seed

# The paper names no optimiser; these three take [784, n, n, 10] to the accuracies that it prints.
OPTIMISERS: dict[str, dict[str, str | float | int]] = {
    "sgd": {"optimiser": "sgd", "learning_rate": 0.1, "momentum": 0.0, "batch_size": 64},
    "momentum": {"optimiser": "sgd", "learning_rate": 0.01, "momentum": 0.9, "batch_size": 32},
    "adam": {"optimiser": "adam", "learning_rate": 0.001, "momentum": 0.0, "batch_size": 32},
}
TITLES = {
    "sgd": "SGD, rate 0.1, batch 64",
    "momentum": "SGD, rate 0.01, momentum 0.9, batch 32",
    "adam": "Adam, rate 0.001, batch 32",
}
PAIRS = ("first", "second")
PAIR_TITLES = {"first": "first adjacency", "second": "second adjacency"}
CLASSES = 10
# The earlier and the later layer of each adjacency.
_LAYERS = {"first": ("linear1", "linear2"), "second": ("linear2", "linear3")}


def sweep_recipe(data: str, width: int, optimiser: str, epochs: int) -> Recipe:
    """The recipe of the paper's [784, n, n, 10] with ReLU and no bias, for n = ``width``.

    Raises ``ValueError`` for an optimiser that is not one of ``OPTIMISERS``.
    """
    if optimiser not in OPTIMISERS:
        raise ValueError(f"optimiser is {optimiser!r}; expected one of {', '.join(OPTIMISERS)}")
    options = {"widths": (784, width, width, CLASSES), "activation": "relu", "bias": False}
    return Recipe(architecture="fully_connected", options=options, data=data, epochs=epochs, **OPTIMISERS[optimiser])


def adjacencies(model: nn.Module) -> dict[str, Adjacency]:
    """The ``"first"`` and the ``"second"`` adjacency of a network with three fully connected layers."""
    neurons = {name: spectral_neurons(getattr(model, name)) for name in ("linear1", "linear2", "linear3")}
    return {pair: adjacency(neurons[later], neurons[earlier]) for pair, (earlier, later) in _LAYERS.items()}


@dataclass(frozen=True)
class SweepPoint:
    """Networks of one width and optimiser: test accuracies ``(R,)`` and internal dimensions of both adjacencies.

    ``common`` ``(R,)`` is the share of the energy of the last layer's change by training that all outputs have in
    common. The cross-entropy does not feel it, so that it is 0 where steps are multiples of gradients.
    """

    accuracy: Tensor
    dimensions: dict[str, DimensionSample]
    common: Tensor


def sweep_point(recipe: Recipe, seeds: Sequence[int], train_data: ImageData, test_data: ImageData) -> SweepPoint:
    """Train the networks of a recipe and seeds, or find them in the cache, and measure them.

    A bar on standard error shows the training. Raises what `paperlib.training.ensemble_cache.trained_ensemble` raises.
    """
    ensemble = trained_ensemble(recipe, seeds, train_data, test_data, progress=True)
    before = torch.stack([_last_weight(initial_network(with_seed(recipe, seed))) for seed in seeds])
    change = (ensemble.weights["linear3.weight"] - before).double()
    common = CLASSES * change.mean(1).square().sum(1) / change.square().sum((1, 2))
    return SweepPoint(ensemble.test_accuracies[-1], _dimensions(ensemble.network, range(len(ensemble))), common)


def _last_weight(model: nn.Module) -> Tensor:
    return model.get_parameter("linear3.weight").detach()


def untrained_dimensions(recipe: Recipe, seeds: Sequence[int]) -> dict[str, DimensionSample]:
    """Internal dimensions of the networks as the seeds draw them, before any training."""
    return _dimensions(lambda seed: initial_network(with_seed(recipe, seed)), seeds)


def _dimensions(network: Callable[[int], nn.Module], numbers: Sequence[int]) -> dict[str, DimensionSample]:
    found = [adjacencies(network(number)) for number in numbers]
    return {pair: sample_dimensions(one[pair] for one in found) for pair in PAIRS}


def chance_at_width(width: int, draws: int, seed: int) -> dict[str, DimensionSample]:
    """What independent uniform representations of the same shapes give: a band for dimensions and excess."""
    return {
        "first": chance_dimensions(width, width, width, draws, seed),
        "second": chance_dimensions(min(CLASSES, width), width, width, draws, seed),
    }
