"""Edges of an image by Sobel's filters, at the resolution of a layer's maps (`svr`, Sections 5.1 and B.4)."""

import torch
import torch.nn.functional as F
from torch import Tensor

_ACROSS = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def sobel_magnitude(images: Tensor) -> Tensor:
    """``((G_x * X)^2 + (G_y * X)^2)^(1/2)`` of images in grey: ``(count, height, width)`` in float64.

    ``images`` is ``(count, channels, height, width)``; grey is the mean of the channels. The pixels at the border are
    repeated outwards, so that the border itself is no edge.

    Raises ``ValueError`` for anything but images of at least 3 x 3 pixels.
    """
    if images.dim() != 4 or min(images.shape[2:]) < 3:
        raise ValueError(
            f"Sobel's filters take images (count, channels, height, width) of at least 3 x 3 pixels, "
            f"got {tuple(images.shape)}"
        )
    across = torch.tensor(_ACROSS, dtype=torch.float64, device=images.device)
    grey = F.pad(images.double().mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    gradients = F.conv2d(grey, torch.stack([across, across.T]).unsqueeze(1))
    return torch.linalg.vector_norm(gradients, dim=1)


def sobel_proxy(images: Tensor, size: tuple[int, int]) -> Tensor:
    """`sobel_magnitude` of the images averaged down to ``size``: ``(count, *size)`` in float64.

    Raises ``ValueError`` where ``size`` is below 3 x 3.
    """
    return sobel_magnitude(F.adaptive_avg_pool2d(images.double().mean(1, keepdim=True), size))
