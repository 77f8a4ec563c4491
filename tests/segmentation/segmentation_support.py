"""A small recipe on phantoms, its volumes, and networks that are trained in a moment or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from paperlib.datasets.volumes import Volume, VolumeError, VolumeSet, load_volumes
from paperlib.segmentation import SegmentationNetwork, SegmentationRecipe, SegmentationSummary, parts

SIDE = 16


def tiny_recipe(**changes) -> SegmentationRecipe:
    """Twelve phantoms of 16^3 voxels and two modalities in three folds; one patch is a whole volume."""
    settings = dict(
        data="phantoms",
        data_options={"count": 12, "shape": (SIDE, SIDE, SIDE), "modalities": 2},
        modalities=2,
        folds=3,
        depth=2,
        filters=3,
        patch=(SIDE, SIDE, SIDE),
        epochs=2,
    )
    return SegmentationRecipe(**(settings | changes))


def tiny_volumes(**options) -> VolumeSet:
    """The volumes of `tiny_recipe`; ``options`` are those of the phantoms."""
    return load_volumes("phantoms", **({"count": 12, "shape": (SIDE, SIDE, SIDE), "modalities": 2} | options))


def untrained_network(
    recipe: SegmentationRecipe | None = None, volumes: VolumeSet | None = None
) -> SegmentationNetwork:
    """The network of a recipe as it is drawn, with the parts of its fold."""
    recipe = recipe or tiny_recipe()
    split = parts(recipe, (volumes or tiny_volumes()).names)
    summary = SegmentationSummary(
        recipe=recipe,
        train=split.train,
        validation=split.validation,
        test=split.test,
        best_epoch=0,
        validation_dice=0.0,
        seconds=0.0,
        threads=1,
        device="cpu",
        torch="",
        history=(),
    )
    return SegmentationNetwork(recipe.network().eval().requires_grad_(False), summary)


def random_volume(name: str, *shape: int, seed: int = 0) -> Volume:
    """Noise ``shape`` (modalities, *spatial) with a label of random voxels."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.rand(shape[1:], generator=generator) > 0.7
    return Volume(name, torch.randn(shape, generator=generator), label.to(torch.uint8))


@dataclass(frozen=True)
class _Held:
    """Volumes by name; those that are None cannot be read."""

    volumes: dict[str, Volume | None]

    def __call__(self, name: str) -> Volume:
        if self.volumes[name] is None:
            raise VolumeError(f"folder/{name}.nii.gz cannot be read")
        return self.volumes[name]

    def digest(self, names: tuple[str, ...]) -> str:
        return " ".join(str(getattr(self.volumes[name], "image", torch.zeros(1)).sum().item()) for name in names)


def held_volumes(volumes: Sequence[Volume], unreadable: Sequence[str] = ()) -> VolumeSet:
    """A set of these volumes, and of some that cannot be read; it can be pickled."""
    held = _Held({volume.name: volume for volume in volumes} | dict.fromkeys(unreadable))
    modalities = volumes[0].image.shape[0]
    return VolumeSet("held", "Held", "made here", tuple(sorted(held.volumes)), modalities, held, held.digest)
