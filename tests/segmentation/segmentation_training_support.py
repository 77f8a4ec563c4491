"""Small trainings and what two of them are compared by."""

import torch
from segmentation_support import tiny_recipe, tiny_volumes

from paperlib.segmentation import SegmentationNetwork, SegmentationRecipe, train_segmentation

_trained: dict[str, SegmentationNetwork] = {}


def small_recipe(**changes) -> SegmentationRecipe:
    """Four volumes train on patches of 8^3 voxels: an epoch takes a few hundredths of a second."""
    return tiny_recipe(**({"patch": (8, 8, 8), "train_count": 4, "validation_share": 0.25} | changes))


def trained(recipe: SegmentationRecipe) -> SegmentationNetwork:
    """The network of an uninterrupted training, made once for all tests; none of them changes it."""
    if recipe.key not in _trained:
        _trained[recipe.key] = train_segmentation(recipe, tiny_volumes())
    return _trained[recipe.key]


def weights(network: SegmentationNetwork) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.model.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def history(network: SegmentationNetwork) -> list[tuple]:
    """All of the history that does not depend on the clock."""
    return [(moment.epoch, moment.loss, moment.validation_dice) for moment in network.summary.history]
