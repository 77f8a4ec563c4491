"""What is drawn in an epoch, and what a step of training does to the images and to the learning rate."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import cos, pi

import torch
from torch import Tensor

# The customary padding for images of 32 x 32 pixels (He et al. 2016, Section 4.2).
SHIFT = 4


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Draws the order of the images of an epoch, counted from 0, and then what their augmentation needs.

    It follows from seed and epoch alone, so that an interrupted training goes on as an uninterrupted one would.
    """
    return torch.Generator().manual_seed(seed * 1_000_003 + epoch)


def flipped_and_shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image of ``(batch, channels, height, width)`` mirrored or not, and shifted by up to four pixels each way.

    What comes in at the border is 0. The generator is on the CPU, so that every device sees the same images.
    """
    count, _, height, width = images.shape
    flip = torch.rand(count, generator=generator) < 0.5
    down, right = torch.randint(0, 2 * SHIFT + 1, (2, count), generator=generator)
    rows = down[:, None] + torch.arange(height)
    columns = right[:, None] + torch.where(flip[:, None], torch.arange(width - 1, -1, -1), torch.arange(width))
    padded = torch.nn.functional.pad(images, (SHIFT,) * 4)
    batch = torch.arange(count)[:, None, None]
    # Indexing with a slice between moves the channels to the end, where channels-last convolutions want them.
    seen = padded.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]]
    return seen.permute(0, 3, 1, 2)


def cosine_factor(step: int, steps: int) -> float:
    """What the learning rate is multiplied by at step 0, ..., ``steps - 1``: half a cosine from 1 towards 0."""
    return (1 + cos(pi * step / steps)) / 2


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Numbers below 1e-38 are zero inside.

    Averages of the gradients of units that died, or of pixels that are seldom lit, fall below it and stay there;
    processors take many times as long over them, and they move no weight.
    """
    tiny = torch.tensor([1e-38])
    flushed_before = bool((tiny / 10 == 0).all())
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed_before)
