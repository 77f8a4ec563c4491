"""Seeded selections from labelled images."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from paperlib.datasets.types import ImageData


def select(data: ImageData, indices: torch.Tensor, selection: str) -> ImageData:
    """The images at ``indices`` (int64), in that order; ``selection`` says in words how they were chosen."""
    words = selection if data.selection == "all" else f"{data.selection}; {selection}"
    return replace(data, images=data.images[indices], labels=data.labels[indices], selection=words)


def balanced_subset(data: ImageData, per_class: int, seed: int) -> ImageData:
    """``per_class`` random images of each class, in the original order.

    Raises ``ValueError`` where a class has fewer.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for label in range(data.classes):
        members = (data.labels == label).nonzero().flatten()
        if len(members) < per_class:
            raise ValueError(f"class {label} of {data.name} has {len(members)} images, {per_class} were asked for")
        chosen.append(members[torch.randperm(len(members), generator=generator)[:per_class]])
    indices = torch.cat(chosen).sort().values
    return select(data, indices, f"{per_class} of each class, seed {seed}")


def split(data: ImageData, count: int, seed: int) -> tuple[ImageData, ImageData]:
    """The data without ``count`` random images, and those images; both in the original order.

    Raises ``ValueError`` where nothing would be left.
    """
    if not 0 <= count < len(data):
        raise ValueError(f"{count} of the {len(data)} images of {data.name} cannot be set apart; expected fewer")
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    rest, apart = order[count:].sort().values, order[:count].sort().values
    words = f"{count:,} random images, seed {seed}"
    return select(data, rest, f"without {words}"), select(data, apart, words)


def class_means(data: ImageData) -> torch.Tensor:
    """Mean image of each class: float32 ``(classes, channels, height, width)``; NaN for a class without images."""
    return torch.stack([data.images[data.labels == label].mean(0) for label in range(data.classes)])


def without_most_of(data: ImageData, labels: Sequence[int], fraction: float, seed: int) -> ImageData:
    """Remove a ``fraction`` in [0, 1] of the images of each class in ``labels``, keeping a random rest.

    The unbalanced training set of `generalizability` (Section 3.1) removes 0.99 of digits 1 and 9. Of ``n`` images
    ``round((1 - fraction) * n)`` stay; the paper does not say which, so the seed is a parameter. Order is kept.

    Raises ``ValueError`` for a fraction outside [0, 1] or a label that the data does not have.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction is {fraction}; expected a number in [0, 1]")
    generator = torch.Generator().manual_seed(seed)
    keep = torch.ones(len(data), dtype=torch.bool)
    for label in labels:
        members = (data.labels == label).nonzero().flatten()
        if len(members) == 0:
            raise ValueError(f"{data.name} has no image of class {label}")
        kept = round((1 - fraction) * len(members))
        keep[members[torch.randperm(len(members), generator=generator)[kept:]]] = False
    named = ", ".join(str(label) for label in labels)
    return select(data, keep.nonzero().flatten(), f"without {fraction:.0%} of classes {named}, seed {seed}")
