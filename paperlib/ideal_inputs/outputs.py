"""What a trained network puts out for its training images, and the output that would be ideal for each class."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

RULES = ("per_unit", "copied")


@dataclass(frozen=True)
class OutputRanges:
    """Smallest and largest output of each unit over a set of images, in the outputs' dtype.

    ``low`` and ``high`` ``(C,)`` are over all images; ``class_low`` and ``class_high`` ``(C, C)`` over the images of
    one class: row c is class c, column j is unit j.
    """

    low: Tensor
    high: Tensor
    class_low: Tensor
    class_high: Tensor


def output_ranges(outputs: Tensor, labels: Tensor) -> OutputRanges:
    """Ranges of raw outputs ``(count, C)`` of images with ``labels`` ``(count,)``, 0-based, one unit a class.

    Raises ``ValueError`` for other shapes, outputs that are not finite, a label outside ``0..C-1`` or a class without
    images.
    """
    check_outputs(outputs, labels)
    groups = [outputs[labels == label] for label in range(outputs.shape[1])]
    empty = [label for label, group in enumerate(groups) if len(group) == 0]
    if empty:
        raise ValueError(f"no image is of class {empty[0]}; expected images of all {outputs.shape[1]} classes")
    low, high = outputs.aminmax(dim=0)
    class_low, class_high = (
        torch.stack(rows) for rows in zip(*(group.aminmax(dim=0) for group in groups), strict=True)
    )
    return OutputRanges(low, high, class_low, class_high)


def ideal_outputs(ranges: OutputRanges, rule: Literal["per_unit", "copied"] = "per_unit") -> Tensor:
    """Ideal outputs ``(C, C)``, row c for class c (`vectorspaces`, Section 2.4).

    Unit c has its largest value. The others have their own smallest ones by the rule ``"per_unit"``, which is the
    text's, or all the smallest one of unit c by ``"copied"``, which is what the authors' code does.

    Raises ``ValueError`` for another rule.
    """
    if rule not in RULES:
        raise ValueError(f"rule is {rule!r}; expected one of {', '.join(RULES)}")
    low = ranges.low if rule == "per_unit" else ranges.low.unsqueeze(1)
    return torch.where(torch.eye(len(ranges.low), dtype=torch.bool, device=ranges.low.device), ranges.high, low)


def check_outputs(outputs: Tensor, labels: Tensor) -> None:
    """Raise ``ValueError`` unless ``outputs`` ``(count, C)`` are finite and ``labels`` ``(count,)`` lie in 0..C-1."""
    if outputs.dim() != 2 or labels.shape != outputs.shape[:1] or 0 in outputs.shape:
        raise ValueError(
            f"outputs have shape {tuple(outputs.shape)} and labels {tuple(labels.shape)}; "
            "expected (count, classes) and (count,), neither empty"
        )
    wrong = (~torch.isfinite(outputs)).any(dim=1).nonzero().flatten().tolist()
    if wrong:
        raise ValueError(f"outputs of {len(wrong)} images are NaN or infinite, the first of image {wrong[0]}")
    outside = ((labels < 0) | (labels >= outputs.shape[1])).nonzero().flatten().tolist()
    if outside:
        raise ValueError(
            f"image {outside[0]} has label {int(labels[outside[0]])}; expected 0..{outputs.shape[1] - 1}, a unit each"
        )
