"""Cheap quantities of a segmented volume, to compare the right projection ratio with, and to control for."""

import math

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

# Width in voxels of the shell around the label that its contrast is taken against.
SHELL = 3


def output_baselines(output: Tensor) -> dict[str, float]:
    """What a network's output ``(classes, *spatial)`` says about itself; no label is used.

    With p the softmax over the classes at a voxel: ``entropy`` is the mean over all voxels of ``-sum p ln p`` in nats,
    ``foreground_entropy`` that over the voxels whose largest p is not that of class 0, ``foreground_probability`` the
    mean of the largest p there, and ``predicted_volume`` their number. The middle two are NaN where there are none.
    """
    probabilities = output.double().softmax(0)
    entropy = torch.special.entr(probabilities).sum(0)
    foreground = output.argmax(0) > 0
    return {
        "entropy": entropy.mean().item(),
        # The mean of no voxels is NaN.
        "foreground_entropy": entropy[foreground].mean().item(),
        "foreground_probability": probabilities.amax(0)[foreground].mean().item(),
        "predicted_volume": float(foreground.sum()),
    }


def label_controls(image: Tensor, label: Tensor) -> dict[str, float]:
    """What makes a volume easy or hard by its label, for partial correlations.

    ``image`` ``(modalities, *spatial)`` is the normalised one, ``label`` ``(*spatial)``. ``volume``: voxels of the
    label. ``contrast``: for each modality the mean over the label less the mean over the voxels outside it whose centre
    is at most three voxels from a voxel of it; the mean of the absolute values. NaN where there is no such voxel on
    either side.
    """
    inside = label.bool().cpu()
    contrast = math.nan
    if inside.any():
        distance = torch.from_numpy(distance_transform_edt(~inside.numpy()))
        shell = (distance > 0) & (distance <= SHELL)
        values = image.double().cpu()
        contrast = (values[:, inside].mean(1) - values[:, shell].mean(1)).abs().mean().item()
    return {"volume": float(inside.sum()), "contrast": contrast}
