"""From the numbers in an image file to what a network was trained on: channels, size, scale."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.ratios.errors import ImageError

NORMALISATIONS = ("none", "zscore", "zscore-foreground")


@dataclass(frozen=True)
class Preparation:
    """What is done to each image ``(channels, *spatial)`` after reading, in this order.

    ``size`` resizes (linear interpolation, antialiased in the plane); ``normalise`` subtracts the mean and divides by
    the standard deviation of each channel, over all pixels or over those that differ from zero (the others stay
    zero); ``mean`` and ``std`` are one number for each channel or one for all. ``channels`` (1 or 3) chooses grey or
    RGB for picture files and is left alone for arrays and volumes. Raises ``ValueError`` for settings that contradict
    each other.
    """

    channels: int | None = None
    size: tuple[int, ...] | None = None
    normalise: str = "none"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self):
        if self.normalise not in NORMALISATIONS:
            raise ValueError(f"unknown normalisation {self.normalise!r}; expected one of {', '.join(NORMALISATIONS)}")
        if self.normalise != "none" and (self.mean or self.std):
            raise ValueError("normalise and mean or std are two ways to scale; give one of them")
        if self.std is not None and not all(value > 0 for value in self.std):
            raise ValueError(f"std must be positive, got {self.std}")

    def __call__(self, image: Tensor) -> Tensor:
        """``(channels, *spatial)`` float in and out; raises ``ImageError``."""
        if self.size is not None:
            image = _resized(image, self.size)
        if self.normalise != "none":
            image = torch.stack([_standardised(part, self.normalise == "zscore-foreground") for part in image])
        if self.mean is not None:
            image = image - _by_channel(self.mean, image, "mean")
        if self.std is not None:
            image = image / _by_channel(self.std, image, "std")
        return image


def _resized(image: Tensor, size: tuple[int, ...]) -> Tensor:
    axes = image.dim() - 1
    size = size * axes if len(size) == 1 else size
    if len(size) != axes or axes not in (1, 2, 3):
        raise ImageError(f"cannot resize an image of shape {tuple(image.shape)} to {size}")
    kind = ("linear", "bilinear", "trilinear")[axes - 1]
    options = {"antialias": True} if axes == 2 else {}
    return torch.nn.functional.interpolate(image.unsqueeze(0), size, mode=kind, align_corners=False, **options)[0]


def _standardised(channel: Tensor, foreground_only: bool) -> Tensor:
    foreground = channel != 0 if foreground_only else torch.ones_like(channel, dtype=torch.bool)
    values = channel[foreground].double()
    if values.numel() < 2 or not values.std() > 0:
        raise ImageError("a channel is constant, so its standard deviation is zero and it cannot be normalised")
    scaled = ((channel.double() - values.mean()) / values.std(correction=0)).to(channel.dtype)
    return torch.where(foreground, scaled, 0)


def _by_channel(values: tuple[float, ...], image: Tensor, what: str) -> Tensor:
    if len(values) not in (1, len(image)):
        raise ImageError(f"{what} has {len(values)} numbers; an image of {len(image)} channels needs as many, or one")
    return image.new_tensor(values).reshape(-1, *[1] * (image.dim() - 1))
