"""Baselines of planted outputs, and contrasts of planted images."""

import math

import pytest
import torch

from paperlib.segmentation.baselines import label_controls, output_baselines

# Sums of a few float64 numbers of size one, some from float32 inputs that are exact.
CLOSE = dict(rel=1e-12, abs=1e-12)


def entropy(p: float) -> float:
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def output(*probabilities: float) -> torch.Tensor:
    """Logits ``(2, 1, 1, voxels)`` of these probabilities of class 1."""
    p = torch.tensor(probabilities, dtype=torch.float64)
    return torch.stack([torch.zeros_like(p), (p / (1 - p)).log()]).reshape(2, 1, 1, -1)


def test_baselines_are_means_over_all_voxels_and_over_the_foreground():
    values = output_baselines(output(0.1, 0.3, 0.6, 0.8, 0.9) + 7.0)
    assert values["entropy"] == pytest.approx(sum(map(entropy, (0.1, 0.3, 0.6, 0.8, 0.9))) / 5, **CLOSE)
    assert values["foreground_entropy"] == pytest.approx(sum(map(entropy, (0.6, 0.8, 0.9))) / 3, **CLOSE)
    assert values["foreground_probability"] == pytest.approx((0.6 + 0.8 + 0.9) / 3, **CLOSE)
    assert values["predicted_volume"] == 3.0


def test_without_a_foreground_its_baselines_are_undefined():
    values = output_baselines(output(0.1, 0.2))
    assert math.isnan(values["foreground_entropy"]) and math.isnan(values["foreground_probability"])
    assert values["predicted_volume"] == 0.0 and values["entropy"] > 0


def test_a_certain_voxel_has_no_entropy():
    values = output_baselines(torch.tensor([0.0, 1e4]).reshape(2, 1, 1, 1))
    assert values["entropy"] == 0.0 and values["foreground_probability"] == 1.0


def planted() -> tuple[torch.Tensor, torch.Tensor]:
    """One labelled voxel; around it 3 everywhere up to a distance of three voxels, and 100 beyond."""
    place = torch.stack(torch.meshgrid(*[torch.arange(9) - 4] * 3, indexing="ij"))
    distance = place.square().sum(0)
    image = torch.where(distance <= 9, 3.0, 100.0)
    label = distance == 0
    image[label] = 5.0
    return torch.stack([image, -4 * image]), label.to(torch.uint8)


def test_contrast_is_taken_against_a_shell_of_three_voxels():
    values = label_controls(*planted())
    # 2 in the first modality, -8 in the second.
    assert values == {"volume": 1.0, "contrast": pytest.approx(5.0, **CLOSE)}


@pytest.mark.parametrize(("fill", "volume"), [(0, 0.0), (1, 729.0)])
def test_without_an_inside_or_an_outside_there_is_no_contrast(fill, volume):
    image, label = planted()
    values = label_controls(image, torch.full_like(label, fill))
    assert values["volume"] == volume and math.isnan(values["contrast"])
