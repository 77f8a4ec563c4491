"""Images from which an ideal input is sought, made of training images alone (`vectorspaces`, Section 2.4)."""

import math
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor

from paperlib.ideal_inputs.outputs import check_outputs

CANDIDATES = ("class", "all")


def start_images(
    images: Tensor,
    outputs: Tensor,
    labels: Tensor,
    ideal: Tensor,
    *,
    candidates: Literal["class", "all"] = "class",
    percentile: float = 25,
) -> dict[str, Tensor]:
    """Three images ``(C, *shape)`` for each class: ``"avg"``, ``"min"`` and ``"avg_min"``.

    ``images`` ``(count, *shape)`` have raw ``outputs`` ``(count, C)`` and ``labels`` ``(count,)``; ``ideal``
    ``(C, C)`` has a row for each class. ``avg`` is the mean of the images of the class. ``min`` is the candidate whose
    output has the smallest Euclidean distance to the ideal one, the first of equals; candidates are the images of the
    class or ``"all"``. ``avg_min`` is the mean of the nearest candidates, ``percentile`` percent of them, rounded up
    to a whole image; of equals at the edge the first ones are taken. Distances are computed in float64.

    Raises ``ValueError`` for shapes that do not fit, outputs that are not finite, a class without images, a
    percentile outside (0, 100] or unknown candidates.
    """
    check_outputs(outputs, labels)
    classes = outputs.shape[1]
    if len(images) != len(outputs) or ideal.shape != (classes, classes):
        raise ValueError(
            f"{len(images)} images and ideal outputs of shape {tuple(ideal.shape)} do not fit outputs of shape "
            f"{tuple(outputs.shape)}; expected {len(outputs)} images and shape {(classes, classes)}"
        )
    if not 0 < percentile <= 100:
        raise ValueError(f"percentile is {percentile}; expected a number in (0, 100]")
    if candidates not in CANDIDATES:
        raise ValueError(f"candidates are {candidates!r}; expected one of {', '.join(CANDIDATES)}")
    distances = torch.cdist(ideal.double(), outputs.double(), compute_mode="donot_use_mm_for_euclid_dist")
    found: dict[str, list[Tensor]] = {"avg": [], "min": [], "avg_min": []}
    for label in range(classes):
        members = (labels == label).nonzero().flatten()
        if len(members) == 0:
            raise ValueError(f"no image is of class {label}; expected images of all {classes} classes")
        pool = members if candidates == "class" else torch.arange(len(images), device=labels.device)
        nearest = pool[distances[label, pool].argsort(stable=True)[: share(len(pool), percentile)]]
        found["avg"].append(images[members].mean(dim=0))
        found["min"].append(images[nearest[0]])
        found["avg_min"].append(images[nearest].mean(dim=0))
    return {name: torch.stack(rows) for name, rows in found.items()}


def share(count: int, percentile: float) -> int:
    """``percentile`` percent of ``count``, rounded up.

    In exact arithmetic on the decimal that was written: a product of floats may end just above a whole number.
    """
    return math.ceil(Fraction(str(percentile)) * count / 100)
