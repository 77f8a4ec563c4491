"""What every analysis of signals checks first, and the numbers that all of them start from."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

import torch
from torch import Tensor

from paperlib.hypergraphs.signals import LayerSignals


def table_of(signals: LayerSignals | Tensor) -> Tensor:
    """The table of signals ``(images, directions)`` of a layer, or the plain table that was given, on the CPU.

    In its own precision, and at least float32. Raises ``ValueError`` for an empty table, one of another shape, and
    values that are not finite.
    """
    table = signals.signals if isinstance(signals, LayerSignals) else signals
    if table.dim() != 2 or not table.is_floating_point():
        raise ValueError(
            f"signals are {tuple(table.shape)} of {table.dtype}; expected floating-point numbers (images, directions)"
        )
    if 0 in table.shape:
        raise ValueError(f"there are {table.shape[0]} images and {table.shape[1]} directions; expected at least one")
    if not torch.isfinite(torch.stack(table.aminmax())).all():
        wrong = (~torch.isfinite(table)).nonzero()
        image, direction = wrong[0].tolist()
        raise ValueError(
            f"{len(wrong)} of the {table.numel()} signals are NaN or infinite, the first that of image {image} in "
            f"direction {direction}; check the images and the weights"
        )
    return table.detach().cpu().to(torch.promote_types(table.dtype, torch.float32))


def path_of(signals: LayerSignals | Tensor) -> str:
    """The layer's path, empty for a plain table."""
    return signals.path if isinstance(signals, LayerSignals) else ""


def class_sizes(labels: Tensor, classes: Sequence[str], images: int) -> Tensor:
    """Number of images of each class, int64 ``(classes,)``; ``labels`` are int64 places in ``classes``.

    Raises ``ValueError`` for names that repeat, labels of another length or without a name, and a class without image.
    """
    repeated = sorted({name for name in classes if list(classes).count(name) > 1})
    if repeated or not classes:
        raise ValueError(f"class names are {list(classes)}; expected at least one, and each once")
    if labels.shape != (images,):
        raise ValueError(f"labels are {tuple(labels.shape)} for {images} images; expected one label for each image")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"labels are {labels.dtype}; expected whole numbers, the places of the classes")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(classes):
        raise ValueError(f"labels reach from {low} to {high}, but there are names for 0..{len(classes) - 1} only")
    sizes = torch.bincount(labels.cpu().long(), minlength=len(classes))
    empty = [name for name, size in zip(classes, sizes.tolist(), strict=True) if not size]
    if empty:
        raise ValueError(f"the sample has no image of class {', '.join(empty)}; leave it out or add images")
    return sizes


def check_quantiles(quantiles: Sequence[float]) -> None:
    """Raise ``ValueError`` unless every quantile lies in [0, 1]."""
    for q in quantiles:
        if not 0 <= q <= 1:
            raise ValueError(f"q is {q}; expected a quantile between 0 and 1, such as 0.85")


def check_majorities(majorities: Sequence[float]) -> None:
    """Raise ``ValueError`` unless every majority is a percentage above 50 and up to 100."""
    for p in majorities:
        if not 50 < p <= 100:
            raise ValueError(
                f"p is {p}; expected a percentage above 50 and at most 100, such as 75: without a majority a "
                "direction could be significant for a class that mostly lacks it"
            )


def rank_of(q: float, count: int) -> int:
    """Place of the ``q``-quantile among ``count`` increasing values, rounded down: ``floor(q (count - 1))``.

    ``q`` is taken as it is written in decimals: 0.29 of 101 values is the 29th, not the 28th.
    """
    return floor(Fraction(repr(float(q))) * (count - 1))
