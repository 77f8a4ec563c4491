"""Exemplary images: those of a data set at which an objective is largest (`convsvd`, Section 6.2)."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Exemplars:
    """The ``count`` best images for each of ``n`` objectives, the best first.

    ``images`` ``(n, count, channels, height, width)``; ``indices`` ``(n, count)`` int64 into the data set; ``values``
    ``(n, count)`` their objectives.
    """

    images: Tensor
    indices: Tensor
    values: Tensor


def exemplary_images(values: Tensor, images: Tensor, count: int) -> Exemplars:
    """The images ``(N, channels, height, width)`` with the largest ``values`` ``(N, n)``, column by column.

    Values are `objective_values`, or columns of the signals of `paperlib.hypergraphs.signal_vectors`, which differ by
    the number of positions alone. Of equal ones the earlier image comes first.

    Raises ``ValueError`` for another number of values than images, a count outside 1..N, and values that are NaN.
    """
    if values.dim() != 2 or len(values) != len(images):
        raise ValueError(f"values are {tuple(values.shape)} for {len(images)} images; expected ({len(images)}, n)")
    if not 1 <= count <= len(images):
        raise ValueError(f"count is {count}; expected 1..{len(images)}, as there are {len(images)} images")
    if values.isnan().any():
        raise ValueError(f"{int(values.isnan().sum())} of the values are NaN")
    order = values.argsort(dim=0, descending=True, stable=True)[:count].mT
    return Exemplars(images[order], order, values.mT.gather(1, order))
