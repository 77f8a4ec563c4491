"""What a network says about a whole volume: windows by MONAI, stitched with Gaussian weights."""

import torch
from monai.inferers import sliding_window_inference
from torch import Tensor, nn

from paperlib.datasets.volumes import VolumeSet
from paperlib.segmentation.patches import prepared
from paperlib.segmentation.recipe import SegmentationNetwork, SegmentationRecipe
from paperlib.training.dice import dice

# The settings of the windows that training's validation and the operators of the SVD share.
WINDOW_MODE = "gaussian"


def window_settings(recipe: SegmentationRecipe) -> dict:
    """``roi_size``, ``overlap`` and ``mode`` for MONAI's inference and for `paperlib.operators.sliding_window`."""
    return {"roi_size": recipe.patch, "overlap": recipe.overlap, "mode": WINDOW_MODE}


@torch.no_grad()
def logits(model: nn.Module, image: Tensor, recipe: SegmentationRecipe) -> Tensor:
    """The stitched output ``(classes, *spatial)`` for a normalised image ``(modalities, *spatial)``."""
    return sliding_window_inference(image.unsqueeze(0), sw_batch_size=1, predictor=model, **window_settings(recipe))[0]


def volume_dice(model: nn.Module, volumes: VolumeSet, recipe: SegmentationRecipe) -> list[float]:
    """Dice of each volume, of the foreground that the larger logit says; 1 where mask and label are both empty."""
    device = next(model.parameters()).device
    values = []
    for index in range(len(volumes)):
        volume = volumes[index]
        mask = logits(model, prepared(volume, recipe.scale).to(device), recipe).argmax(0).cpu()
        values.append(dice(mask, volume.label))
    return values


def fold_dice(network: SegmentationNetwork, volumes: VolumeSet) -> list[float]:
    """Dice of the test volumes of the network's fold, in their order."""
    return volume_dice(network.model, volumes.select(network.summary.test, "test"), network.summary.recipe)
