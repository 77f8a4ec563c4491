"""Layers of the papers that torch does not have as modules."""

from collections.abc import Sequence
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Of the pixels in [0, 1] of ImageNet's training images, red, green, blue (torchvision's preprocessing).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)

_AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Standardise(nn.Module):
    """Subtract a mean and divide by a deviation, channel by channel: ``(batch, channels, *spatial)`` to the same.

    The two are constants of the network, no parameters, and stand in no state dict.
    """

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        shape = (-1, *[1] * (x.dim() - 2))
        return (x - self.mean.reshape(shape)) / self.deviation.reshape(shape)

    def extra_repr(self) -> str:
        return f"mean={self.mean.tolist()}, deviation={self.deviation.tolist()}"


class SumPool(nn.Module):
    """Sum over non-overlapping windows, without averaging (`generalizability`, Definition 2).

    Input ``(batch, channels, *spatial)`` with one to three spatial axes, each a multiple of the window's side;
    output ``(batch, channels, *(spatial / window))``. Its adjoint is nearest-neighbour up-sampling by the window.

    Raises ``ValueError`` where a spatial axis is no multiple of the window's side.
    """

    def __init__(self, kernel_size: int = 2):
        super().__init__()
        self.kernel_size = kernel_size

    def forward(self, x: Tensor) -> Tensor:
        spatial = x.shape[2:]
        if any(side % self.kernel_size for side in spatial):
            raise ValueError(
                f"sum pooling by {self.kernel_size} needs spatial sides that are multiples of it, got {tuple(spatial)}"
            )
        window = prod(self.kernel_size for _ in spatial)
        return _AVERAGE_POOL[len(spatial)](x, self.kernel_size) * window

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}"


class ConcatenatedSkip(nn.Module):
    """Skip connection by concatenation, ``x -> [M x; x]`` along the channels (`generalizability`, Table 1)."""

    def __init__(self, branch: nn.Module):
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch(x), x], dim=1)


class ResidualSkip(nn.Module):
    """Residual connection by addition, ``x -> M x + x``; the branch keeps the shape."""

    def __init__(self, branch: nn.Module):
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + x
