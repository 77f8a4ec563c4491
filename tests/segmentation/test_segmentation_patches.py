"""Random patches: image and label stay together, seed and epoch decide what is drawn, small volumes are padded."""

import random
from dataclasses import replace

import monai
import numpy as np
import pytest
import torch
from monai.utils import get_seed
from segmentation_support import tiny_recipe, tiny_volumes

from paperlib.datasets.volumes import Volume, VolumeError, VolumeSet
from paperlib.segmentation.patches import TrainingPatches, prepared

SHAPE = (12, 16, 10)


def coordinates(name: str) -> Volume:
    """Each modality is the place along an axis, and the label a pattern without any symmetry."""
    place = torch.stack(torch.meshgrid(*(torch.arange(side) for side in SHAPE), indexing="ij"))
    return Volume(name, place.float(), pattern(place))


def pattern(place):
    return ((place[0] + 2 * place[1] + 3 * place[2]) % 5 == 0).to(torch.uint8)


def planted(count: int, read=coordinates) -> VolumeSet:
    names = tuple(f"volume_{number}" for number in range(count))
    return VolumeSet("planted", "Planted", "made here", names, 3, read, lambda names: "0" * 64)


def planted_recipe(**changes):
    return tiny_recipe(**({"modalities": 3, "patch": (6, 8, 4), "normalisation": "crop"} | changes))


def drawn(patches: TrainingPatches, epochs) -> tuple[torch.Tensor, torch.Tensor]:
    batches = [batch for epoch in epochs for batch in patches.epoch(epoch)]
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)


def places(images: torch.Tensor) -> torch.Tensor:
    """Back from normalised coordinates to whole numbers ``(count, 3, *patch)``."""
    scale = prepared(coordinates("one"), planted_recipe().scale).flatten(1)
    low, high = (end.reshape(1, 3, 1, 1, 1) for end in (scale.min(1).values, scale.max(1).values))
    last = torch.tensor(SHAPE).reshape(1, 3, 1, 1, 1) - 1
    found = (images - low) / (high - low) * last
    # Float32 of some ten steps of size 1.
    assert (found - found.round()).abs().max() < 1e-4
    return found.round().long()


def test_batches_have_the_shapes_of_the_recipe():
    batches = list(TrainingPatches(planted(5), planted_recipe(batch_size=2)).epoch(0))
    assert [tuple(images.shape) for images, _ in batches] == [(2, 3, 6, 8, 4)] * 2 + [(1, 3, 6, 8, 4)]
    assert [tuple(labels.shape) for _, labels in batches] == [(2, 6, 8, 4)] * 2 + [(1, 6, 8, 4)]
    images, labels = batches[0]
    assert type(images) is type(labels) is torch.Tensor
    assert (images.dtype, labels.dtype) == (torch.float32, torch.uint8)


def test_an_epoch_takes_every_volume_once():
    def numbered(name: str) -> Volume:
        volume = coordinates(name)
        # The label's constant tells the volumes apart.
        return replace(volume, label=torch.full(SHAPE, 1 + int(name.removeprefix("volume_")), dtype=torch.uint8))

    _, labels = drawn(TrainingPatches(planted(7, numbered), planted_recipe()), [0])
    order = labels[:, 0, 0, 0].tolist()
    assert sorted(order) == list(range(1, 8)) and order != sorted(order)


def test_patches_are_whole_pieces_and_the_label_goes_with_the_image():
    images, labels = drawn(TrainingPatches(planted(8), planted_recipe()), range(5))
    found = places(images)
    assert torch.equal(torch.stack([pattern(place) for place in found]), labels)
    signs = []
    for axis in range(3):
        steps = found[:, axis].diff(dim=1 + axis)
        assert (steps == steps[:, :1, :1, :1]).all() and (steps.abs() == 1).all()
        others = [found[:, axis].diff(dim=1 + other) for other in range(3) if other != axis]
        assert all((other == 0).all() for other in others)
        signs.append(steps[:, 0, 0, 0])
    # 40 patches: each of the eight ways to mirror is missing with a probability of 0.005.
    assert len({tuple(sign) for sign in torch.stack(signs, 1).tolist()}) == 8


def test_without_mirroring_axes_keep_their_direction():
    images, _ = drawn(TrainingPatches(planted(8), planted_recipe(mirrored=False)), range(3))
    found = places(images)
    assert all((found[:, axis].diff(dim=1 + axis) == 1).all() for axis in range(3))
    assert len({tuple(corner) for corner in found[:, :, 0, 0, 0].tolist()}) > 10


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_patches_lies_around_the_foreground(share):
    def speck(name: str) -> Volume:
        label = torch.zeros(16, 16, 16, dtype=torch.uint8)
        label[8, 7, 9] = 1
        return Volume(name, torch.arange(16.0**3).reshape(1, 16, 16, 16), label)

    recipe = tiny_recipe(modalities=1, patch=(2, 2, 2), foreground_share=share, mirrored=False)
    _, labels = drawn(TrainingPatches(planted(10, speck), recipe), range(10))
    held = labels.flatten(1).any(1).double().mean().item()
    # A patch around the background holds the voxel too, with a probability of 8 / 16^3; four deviations of 100 draws.
    expected = share + (1 - share) * 8 / 16**3
    assert abs(held - expected) <= 4 * (expected * (1 - expected) / 100) ** 0.5


def test_a_volume_smaller_than_the_patch_is_padded_with_zeros():
    recipe = planted_recipe(patch=(12, 20, 16), mirrored=False)
    images, labels = drawn(TrainingPatches(planted(2), recipe), [0])
    inside = (slice(None), slice(None), slice(2, 18), slice(3, 13))
    expected = prepared(coordinates("one"), recipe.scale)
    for image, label in zip(images, labels, strict=True):
        assert torch.equal(image[inside], expected) and torch.equal(label[inside[1:]], coordinates("one").label)
    images[(slice(None), *inside)] = 0
    labels[(slice(None), *inside[1:])] = 0
    assert not images.any() and not labels.any()


def test_an_empty_mask_still_gives_patches():
    volumes = tiny_volumes().mapped(lambda volume: replace(volume, label=torch.zeros_like(volume.label)), "no mask")
    with pytest.warns(UserWarning, match="Num foregrounds 0"):
        images, labels = drawn(TrainingPatches(volumes, tiny_recipe(patch=(8, 8, 8))), [0])
    assert images.shape == (12, 2, 8, 8, 8) and images.std() > 0.1 and not labels.any()


def test_an_epoch_is_the_same_whatever_came_before_it():
    recipe = planted_recipe()
    patches = TrainingPatches(planted(4), recipe)
    first = drawn(patches, [5])
    again = drawn(patches, [0, 3, 5])
    fresh = drawn(TrainingPatches(planted(4), recipe, memory=0), [5])
    assert all(torch.equal(a, b[-4:]) and torch.equal(a, c) for a, b, c in zip(first, again, fresh, strict=True))
    assert not torch.equal(first[0], drawn(patches, [6])[0])
    assert not torch.equal(first[0], drawn(TrainingPatches(planted(4), planted_recipe(seed=1)), [5])[0])


# MONAI would draw from the global generator of numpy's older interface.
GLOBAL = np.random.mtrand


def test_global_settings_are_neither_used_nor_changed():
    def state():
        drawn_by = GLOBAL.get_state()[1].tolist()
        return torch.get_rng_state().tolist(), drawn_by, random.getstate(), get_seed(), monai.data.get_track_meta()

    def epoch():
        return drawn(TrainingPatches(planted(4), planted_recipe()), [2])

    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        GLOBAL.seed(seed)
        random.seed(seed)
        before = state()
        found.append(epoch())
        assert state() == before
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_patches_are_plain_without_tracked_metadata_too():
    first = drawn(TrainingPatches(planted(3), planted_recipe()), [0])
    monai.data.set_track_meta(False)
    try:
        second = drawn(TrainingPatches(planted(3), planted_recipe()), [0])
    finally:
        monai.data.set_track_meta(True)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_volumes_are_read_once_where_they_fit_into_memory():
    reads = []

    def counted(name: str) -> Volume:
        reads.append(name)
        return coordinates(name)

    volumes = planted(4, counted)
    drawn(TrainingPatches(volumes, planted_recipe()), range(3))
    assert sorted(reads) == list(volumes.names)
    reads.clear()
    drawn(TrainingPatches(volumes, planted_recipe(), memory=0), range(3))
    assert sorted(reads) == sorted(3 * volumes.names)
    reads.clear()
    # A volume takes 13 bytes a voxel: float32 of three modalities, and a byte of the label.
    size = 13 * SHAPE[0] * SHAPE[1] * SHAPE[2]
    drawn(TrainingPatches(volumes, planted_recipe(), memory=2 * size), range(3))
    assert len(reads) == 2 + 2 * 3


def test_a_volume_without_scale_is_named():
    def flat(name: str) -> Volume:
        return replace(coordinates(name), image=torch.zeros(3, *SHAPE))

    with pytest.raises(VolumeError, match=r"volume_0: .*so it has no scale"):
        drawn(TrainingPatches(planted(1, flat), planted_recipe()), [0])
