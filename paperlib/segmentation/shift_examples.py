"""One volume under shifts, to be looked at."""

from collections.abc import Sequence

from torch import Tensor

from paperlib.datasets.volumes import Volume, VolumeSet
from paperlib.segmentation.inference import logits
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.recipe import SegmentationNetwork
from paperlib.segmentation.shifts import Shift, shifted_volumes


def shift_examples(
    network: SegmentationNetwork, volumes: VolumeSet, name: str, shifts: Sequence[Shift], *, seed: int = 0
) -> dict[str, tuple[Tensor, Tensor]]:
    """By title a slice ``(height, width)`` of a volume as the network sees it, and of the mask that it makes of it.

    The first is unshifted, then comes the last shift of each kind. The slice is across the last axis, in the middle
    of the label, and of the first modality.
    """
    plain = volumes.read(name)
    middle = _middle(plain.label)
    versions = {"unshifted": plain}
    for shift in {shift.kind: shift for shift in shifts}.values():
        versions[str(shift)] = shifted_volumes(volumes, shift, seed=seed).read(name)
    return {title: _slices(network, volume, middle) for title, volume in versions.items()}


def _middle(label: Tensor) -> int:
    places = label.nonzero()[:, -1]
    return int(places.double().mean().round()) if len(places) else label.shape[-1] // 2


def _slices(network: SegmentationNetwork, volume: Volume, place: int) -> tuple[Tensor, Tensor]:
    recipe = network.summary.recipe
    image = prepared(volume, recipe.scale)
    mask = logits(network.model, image, recipe).argmax(0)
    return image[0, :, :, place], mask[:, :, place]
