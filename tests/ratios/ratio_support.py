"""A small network and small image files for the tests of the reader's own model."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

SIDE = 8

# The same network as `small_network` as the reader's own file.
BUILDER = """\
import torch
from torch import nn


def build():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(3, 2, 3, padding=1))


def other():
    torch.manual_seed(4)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(3, 2, 3, padding=1))


def smooth():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.GELU()))


def text():
    return "a network"


def broken():
    raise RuntimeError("no such file of weights")
"""


def small_network() -> nn.Sequential:
    """One channel in, two channels out at half the size; 32 x 64 for images of side 8."""
    torch.manual_seed(3)
    layers = (nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(3, 2, 3, padding=1))
    return nn.Sequential(*layers).eval()


def pictures(count: int, seed: int = 0, channels: int = 1) -> Tensor:
    """Random images ``(count, channels, 8, 8)`` of multiples of 1/255, so that a file holds them exactly."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 256, (count, channels, SIDE, SIDE), generator=generator).float() / 255


def write_pictures(folder: Path, images: Tensor) -> None:
    """``image_0.png`` and so on, 8 bits deep."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        values = (image * 255).round().byte().numpy()
        Image.fromarray(values[0] if len(values) == 1 else np.ascontiguousarray(values.transpose(1, 2, 0))).save(
            folder / f"image_{index}.png"
        )


def write_builder(folder: Path) -> Path:
    path = folder / "nets.py"
    path.write_text(BUILDER)
    return path


def export(model: nn.Module, images: Tensor, path: Path) -> Path:
    """The model as a file of torch.export."""
    torch.export.save(torch.export.export(model, (images,)), path)
    return path


def jacobian_ratios(model: nn.Module, image: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """RPR and singular values for 1..k by autograd's Jacobian and a dense SVD in float64."""
    model, image = model.double(), image.double()
    jacobian = torch.func.jacrev(lambda x: model(x.unsqueeze(0)).flatten())(image).flatten(1)
    _, S, Vh = torch.linalg.svd(jacobian, full_matrices=False)
    return ((Vh[:k] @ image.flatten()) ** 2).cumsum(0) / image.square().sum(), S[:k]
