"""Random patches of training volumes by MONAI's transforms, and whole volumes as the network sees them."""

from collections.abc import Sequence

import torch
from monai.transforms import Compose, RandCropByPosNegLabeld, RandFlipd, SpatialPadd
from torch import Tensor

from paperlib.datasets.volumes import Volume, VolumeError, VolumeSet
from paperlib.segmentation.normalisation import Normalisation, normalised
from paperlib.segmentation.recipe import SegmentationRecipe

_KEYS = ("image", "label")


class TrainingPatches:
    """One random patch of every training volume an epoch, normalised when it is first needed.

    Normalised volumes stay in memory up to ``memory`` bytes in all; the others are read again in each epoch. What is
    drawn follows from the recipe's seed and the number of the epoch alone, so that an interrupted training goes on as
    an uninterrupted one would. A volume smaller than the patch is padded with zeros; where a mask is empty, MONAI says
    so and the patch lies anywhere.
    """

    def __init__(self, volumes: VolumeSet, recipe: SegmentationRecipe, memory: int = 2**31):
        self._volumes, self._recipe = volumes, recipe
        self._memory, self._kept = memory, {}
        around, anywhere = recipe.foreground_share, 1 - recipe.foreground_share
        random = [RandCropByPosNegLabeld(_KEYS, "label", recipe.patch, pos=around, neg=anywhere, num_samples=1)]
        if recipe.mirrored:
            random += [RandFlipd(_KEYS, prob=0.5, spatial_axis=axis) for axis in range(3)]
        self._transform = Compose([SpatialPadd(_KEYS, recipe.patch), *random])

    def __len__(self) -> int:
        return len(self._volumes)

    def epoch(self, epoch: int):
        """Yields mini-batches: images ``(batch, modalities, *patch)`` and labels ``(batch, *patch)``."""
        seed = self._recipe.seed * 1_000_003 + epoch
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed)).tolist()
        # MONAI's transforms draw from 32-bit seeds.
        self._transform.set_random_state(seed=seed % 2**32)
        for start in range(0, len(order), self._recipe.batch_size):
            batch = order[start : start + self._recipe.batch_size]
            drawn = [self._transform(self._sample(index))[0] for index in batch]
            yield _stacked(drawn, "image"), _stacked(drawn, "label").squeeze(1)

    def _sample(self, index: int) -> dict[str, Tensor]:
        """MONAI's dictionary of a volume; made outside its transforms, which would hide an error's kind."""
        if index in self._kept:
            return self._kept[index]
        volume = self._volumes[index]
        sample = {"image": prepared(volume, self._recipe.scale), "label": volume.label.unsqueeze(0)}
        self._memory -= sum(values.nbytes for values in sample.values())
        if self._memory >= 0:
            self._kept[index] = sample
        return sample


def prepared(volume: Volume, settings: Normalisation) -> Tensor:
    """The volume's image as the network sees it, float32 ``(modalities, *spatial)``; ``VolumeError`` names it."""
    try:
        return normalised(volume.image, settings)
    except ValueError as error:
        raise VolumeError(f"{volume.name}: {error}") from error


def _stacked(drawn: Sequence[dict], key: str) -> Tensor:
    return torch.stack([sample[key].as_subclass(Tensor) for sample in drawn])
