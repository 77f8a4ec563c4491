"""Whole volumes by sliding windows: the same as the operator of the SVD, and Dice of planted masks."""

from dataclasses import replace

import monai
import numpy as np
import pytest
import torch
from segmentation_support import tiny_recipe, tiny_volumes, untrained_network
from torch import nn

from paperlib.operators import sliding_window
from paperlib.segmentation import logits, prepared, volume_dice, window_settings


def draw(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


class Reads(nn.Module):
    """Says foreground where the first modality is above 0: a network whose masks are known."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return torch.cat([torch.zeros_like(images[:, :1]), self.scale * images[:, :1]], 1)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.6])
@pytest.mark.parametrize("shape", [(14, 9, 11), (8, 8, 8), (5, 12, 8), (3, 4, 5)])
def test_logits_are_the_output_of_the_operator_of_the_svd(shape, overlap):
    recipe = tiny_recipe(patch=(8, 8, 8), overlap=overlap)
    model, image = recipe.network().double().eval(), draw(2, *shape)
    operator = sliding_window(model, image, **window_settings(recipe))
    found = logits(model, image, recipe)
    assert found.shape == (2, *shape)
    # Some layers deep: a few thousand units of rounding of float64.
    torch.testing.assert_close(found, operator.output, rtol=1e-10, atol=1e-11)
    torch.testing.assert_close(found, operator.matvec(image), rtol=1e-10, atol=1e-11)


def test_a_volume_of_the_patch_is_one_forward_pass():
    recipe = tiny_recipe(patch=(8, 8, 8))
    model, image = recipe.network().double().eval(), draw(2, 8, 8, 8)
    with torch.no_grad():
        expected = model(image[None])[0]
    torch.testing.assert_close(logits(model, image, recipe), expected, rtol=1e-12, atol=1e-13)


def test_the_mask_is_where_the_larger_logit_says_foreground():
    recipe = tiny_recipe(normalisation="crop", patch=(8, 8, 8))

    def planted(volume):
        label = torch.zeros_like(volume.label)
        label[2:6, 3:9, 4:8] = 1
        return replace(volume, image=label.expand(2, -1, -1, -1).float(), label=label)

    volumes = tiny_volumes(count=2).mapped(planted, "planted")
    assert volume_dice(Reads(), volumes, recipe) == [1.0, 1.0]
    # Of 96 voxels 32 are said to be foreground that is not labelled: 2 * 64 / (96 + 64).
    halved = volumes.mapped(lambda volume: replace(volume, label=cut(volume.label)), "less")
    assert volume_dice(Reads(), halved, recipe) == pytest.approx([0.8, 0.8], rel=1e-12)


def cut(label):
    less = label.clone()
    less[:, 7:] = 0
    return less


def test_two_empty_masks_agree_and_an_empty_label_alone_does_not():
    recipe = tiny_recipe(normalisation="crop")
    empty = tiny_volumes(count=2).mapped(lambda volume: replace(volume, label=torch.zeros_like(volume.label)), "empty")
    silent, loud = Reads(), Reads()
    nn.init.zeros_(silent.scale)
    assert volume_dice(silent, empty, recipe) == [1.0, 1.0]
    assert volume_dice(loud, empty, recipe) == [0.0, 0.0]


def test_dice_of_a_volume_does_not_depend_on_the_others_or_on_global_settings():
    network, volumes = untrained_network(), tiny_volumes(count=3)
    recipe = network.summary.recipe
    before = torch.get_rng_state(), monai.data.get_track_meta()
    together = volume_dice(network.model, volumes, recipe)
    alone = [volume_dice(network.model, volumes.select([name], "one"), recipe)[0] for name in volumes.names]
    assert together == alone and np.ptp(together) > 0
    assert torch.equal(torch.get_rng_state(), before[0]) and monai.data.get_track_meta() == before[1]


def test_what_the_network_sees_is_the_image_in_the_recipes_scale():
    volume = tiny_volumes()[0]
    seen = prepared(volume, tiny_recipe(normalisation="crop").scale)
    assert seen.shape == volume.image.shape and seen.dtype == torch.float32
    assert torch.allclose(seen.mean((1, 2, 3)), torch.zeros(2), atol=1e-5)
