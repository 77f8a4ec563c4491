"""Colours that vary as those of real images do: channels mixed by a square root of their covariance."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ColourTransform:
    """A mixture of channels, ``colour = matrix @ components``; ``source`` names the images it was measured on.

    The columns are the principal components of the colours of single pixels, each as long as its standard deviation
    and all divided by that of the first. Uncorrelated components of equal variance so become colours with the
    covariance of the images, up to scale.
    """

    matrix: tuple[tuple[float, ...], ...]
    source: str

    @property
    def channels(self) -> int:
        return len(self.matrix)

    def mixed(self, components: Tensor) -> Tensor:
        """Components ``(batch, channels, height, width)`` as colours of the same shape."""
        return torch.einsum("dc,bchw->bdhw", components.new_tensor(self.matrix), components)

    def unmixed(self, colours: Tensor) -> Tensor:
        """The components of colours, the inverse of `mixed`: uncorrelated for the images the transform is from."""
        inverse = torch.linalg.inv(torch.tensor(self.matrix, dtype=torch.float64))
        return torch.einsum("dc,bchw->bdhw", inverse.to(colours), colours)


def colour_transform(images: Tensor, source: str) -> ColourTransform:
    """The transform of images ``(count, channels, height, width)`` by the covariance of their pixels; grey gives 1.

    Raises ``ValueError`` for another shape, values that are not finite, and channels that do not vary independently.
    """
    if images.dim() != 4 or not images.numel():
        raise ValueError(f"images are {tuple(images.shape)}; expected (count, channels, height, width)")
    samples = images.double().movedim(1, 0).flatten(1)
    if not torch.isfinite(samples).all():
        raise ValueError(f"{int((~torch.isfinite(samples)).sum())} pixels of the images are NaN or infinite")
    if samples.shape[1] < 2:
        raise ValueError(f"images are {tuple(images.shape)}, a single pixel, which has no covariance")
    values, vectors = torch.linalg.eigh(torch.cov(samples).reshape(len(samples), len(samples)))
    if values[0] <= 1e-12 * values[-1] or values[-1] <= 0:
        raise ValueError(
            f"the {len(samples)} channels of the images do not vary independently; take images in colour, or one "
            "channel"
        )
    columns = vectors.flip(1) * (values.flip(0) / values[-1]).sqrt()
    # Signs are arbitrary: the first component brightens.
    columns = columns * torch.where(columns.sum(0) < 0, -1.0, 1.0)
    return ColourTransform(tuple(map(tuple, columns.tolist())), source)
