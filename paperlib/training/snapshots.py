"""A network as it was between the epochs of its training."""

import copy

from torch import nn

from paperlib import datasets
from paperlib.training import training_data
from paperlib.training.loop import train
from paperlib.training.recipe import Recipe, TrainedNetwork


def snapshots(
    recipe: Recipe, *, device: str = "cpu", progress: bool = False
) -> tuple[TrainedNetwork, tuple[nn.Module, ...]]:
    """Train a recipe's network and keep a copy before the first and after each epoch: ``epochs + 1`` networks.

    The copies are in evaluation mode and frozen; the last has the weights of the trained network. Nothing is kept
    in the cache, so this is for networks that train in seconds. Raises what `paperlib.training.train` raises.
    """
    kept: list[nn.Module] = []
    trained = train(
        recipe,
        training_data(recipe),
        datasets.load(recipe.data, "test"),
        device=device,
        progress=progress,
        at_epoch=lambda _, model: kept.append(copy.deepcopy(model).eval().requires_grad_(False)),
    )
    return trained, tuple(kept)
