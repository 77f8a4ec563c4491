"""Test volumes to look at, with what their networks make of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from paperlib.datasets.volumes import VolumeSet
from paperlib.segmentation.inference import logits
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.recipe import SegmentationNetwork


@dataclass(frozen=True)
class VolumeExample:
    """A volume to look at: ``image`` ``(*spatial)`` of one modality, ``label`` and ``prediction`` ``(*spatial)`` masks.

    ``heading`` says why it was chosen.
    """

    heading: str
    name: str
    image: Tensor
    label: Tensor
    prediction: Tensor
    dice: float


def example_volumes(
    networks: Sequence[SegmentationNetwork], volumes: VolumeSet, test_dice: Sequence[Sequence[float]]
) -> tuple[VolumeExample, ...]:
    """The volumes of the highest, the median and the lowest Dice, normalised, in the last modality.

    ``test_dice[i]`` has the Dice of the test volumes of network i, in their order.
    """
    found = [
        (value, network, name)
        for network, values in zip(networks, test_dice, strict=True)
        for value, name in zip(values, network.summary.test, strict=True)
    ]
    order = np.argsort([value for value, _, _ in found], kind="stable")
    places = {"highest Dice": order[-1], "median Dice": order[len(order) // 2], "lowest Dice": order[0]}
    return tuple(_example(heading, volumes, *found[place]) for heading, place in places.items())


def _example(heading: str, volumes: VolumeSet, value: float, network: SegmentationNetwork, name: str) -> VolumeExample:
    volume, recipe = volumes.read(name), network.summary.recipe
    image = prepared(volume, recipe.scale)
    mask = logits(network.model, image, recipe).argmax(0)
    return VolumeExample(heading, name, image[-1], volume.label, mask, value)
