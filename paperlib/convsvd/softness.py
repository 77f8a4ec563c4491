"""How soft the edges in images are, and whether two groups differ in it (`convsvd`, Figure 9)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def gradient_magnitudes(images: Tensor) -> Tensor:
    """Mean length of the gradient over the pixels of each image, relative to its contrast: float64 ``(count,)``.

    ``images`` is ``(count, channels, height, width)``. The gradient has the differences to the right and below, of all
    channels together; the contrast is the standard deviation of the pixels around the mean of each channel. An image of
    one colour has no edges: 0. The mean length counts how *many* edges there are: across one edge it adds up to the
    whole rise, whether that takes one pixel or ten.

    Raises ``ValueError`` for another shape and images of less than 2 x 2 pixels.
    """
    return _relative(_squared_lengths(images).sqrt().mean((1, 2)), images)


def sharpness(images: Tensor) -> Tensor:
    """Root mean square of the length of the gradient of each image, relative to its contrast: float64 ``(count,)``.

    A rise over w pixels in the place of one divides its square sum by w, so that soft edges have little of it. Raises
    what `gradient_magnitudes` raises, which says what is meant by the words.
    """
    return _relative(_squared_lengths(images).mean((1, 2)).sqrt(), images)


def _squared_lengths(images: Tensor) -> Tensor:
    if images.dim() != 4 or min(images.shape[2:]) < 2:
        raise ValueError(
            f"images are {tuple(images.shape)}; expected (count, channels, height, width) of at least 2 x 2 pixels"
        )
    x = images.double()
    corner = x[..., :-1, :-1]
    return ((x[..., :-1, 1:] - corner).square() + (x[..., 1:, :-1] - corner).square()).sum(1)


def _relative(lengths: Tensor, images: Tensor) -> Tensor:
    x = images.double()
    contrast = (x - x.mean((2, 3), keepdim=True)).square().mean((1, 2, 3)).sqrt()
    return torch.where(lengths > 0, lengths / contrast.clamp_min(torch.finfo(contrast.dtype).tiny), 0.0)


@dataclass(frozen=True)
class GroupComparison:
    """Two groups of numbers: their means, and how often a random division makes the first as much smaller.

    ``difference`` is the mean of the first less that of the second. ``p_below`` is the share of random divisions into
    groups of these sizes with a difference at most as large; ``p_two_sided`` that with one at least as far from 0.
    """

    first_mean: float
    second_mean: float
    difference: float
    p_below: float
    p_two_sided: float


def compare_groups(first: Sequence[float], second: Sequence[float], *, draws: int, seed: int) -> GroupComparison:
    """A permutation test of the means of two groups, from ``draws`` random divisions and the division given.

    Raises ``ValueError`` for an empty group and for no draws.
    """
    if not len(first) or not len(second) or draws < 1:
        raise ValueError(
            f"groups of {len(first)} and {len(second)} numbers and {draws} draws; expected at least one of each"
        )
    values = torch.tensor([*first, *second], dtype=torch.float64)
    count = len(first)
    generator = torch.Generator().manual_seed(seed)
    orders = torch.stack([torch.randperm(len(values), generator=generator) for _ in range(draws)])
    mixed = values[orders]
    differences = mixed[:, :count].mean(1) - mixed[:, count:].mean(1)
    found = values[:count].mean() - values[count:].mean()
    # A division with the same members must not lose against the one given by rounding.
    slack = 1e-12 * values.abs().max()
    below = int((differences <= found + slack).sum()) + 1
    beyond = int((differences.abs() >= found.abs() - slack).sum()) + 1
    return GroupComparison(
        float(values[:count].mean()),
        float(values[count:].mean()),
        float(found),
        below / (draws + 1),
        beyond / (draws + 1),
    )
