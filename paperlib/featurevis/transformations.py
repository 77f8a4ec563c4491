"""Small random movements under which an optimised image must keep its objective (Olah et al. 2017, Section 3)."""

from dataclasses import dataclass
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

# Jitter in two directions, scale, rotation, and the second jitter in two directions.
_NUMBERS = 6


@dataclass(frozen=True)
class Transformations:
    """How far an image is moved at most: jitter, scale, rotation and jitter again, in this order.

    Jitters are shares of the image's sides, so that small images move as large ones do: 0.06 is two pixels of 32 and
    thirteen of 224. ``scale`` 0.1 stands for factors from 1 - 0.1 to 1 + 0.1, ``rotation`` is in degrees to both sides.

    Raises ``ValueError`` for a jitter outside 0..0.5, a scale outside 0..0.5 or a rotation outside 0..180.
    """

    jitter: float = 0.06
    scale: float = 0.1
    rotation: float = 5.0
    second_jitter: float = 0.03

    def __post_init__(self) -> None:
        for name, most in (("jitter", 0.5), ("scale", 0.5), ("rotation", 180), ("second_jitter", 0.5)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise ValueError(f"{name} is {value}; expected a number in 0..{most}")


def movement_draws(count: int, generator: torch.Generator) -> Tensor:
    """What determines ``count`` movements: uniform in -1..1, ``(count, 6)`` float32."""
    return 2 * torch.rand(count, _NUMBERS, generator=generator) - 1


def moved(images: Tensor, transformations: Transformations, draws: Tensor) -> Tensor:
    """Each image ``(batch, channels, height, width)`` moved by its row of `movement_draws`; the size stays.

    The image is padded by its own reflection, as far as the movement needs; pixels between pixels are interpolated.
    Differentiable, and linear in the images.
    """
    grid = F.affine_grid(_inverse_maps(images, transformations, draws), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _inverse_maps(images: Tensor, transformations: Transformations, draws: Tensor) -> Tensor:
    """Affine maps ``(batch, 2, 3)`` from places of the moved images to those of the images, sides being -1..1."""
    # In float64: at no strength each pixel must come from its own place.
    draws = draws.to(images.device, torch.float64)
    first, second = 2 * transformations.jitter * draws[:, :2], 2 * transformations.second_jitter * draws[:, 4:]
    factor = 1 / (1 + transformations.scale * draws[:, 2])
    angle = transformations.rotation * pi / 180 * draws[:, 3]
    cosine, sine = factor * angle.cos(), factor * angle.sin()
    height, width = images.shape[2:]
    # Rotations are of pixels: with unequal sides, those of the square -1..1 would shear.
    rows = [torch.stack([cosine, sine * height / width], 1), torch.stack([-sine * width / height, cosine], 1)]
    linear = torch.stack(rows, 1)
    shift = -(linear @ second.unsqueeze(2)).squeeze(2) - first
    return torch.cat([linear, shift.unsqueeze(2)], 2).to(images.dtype)
