"""Which directions are significant for an image and for a class (`convsvd`, Section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from paperlib.hypergraphs.checks import (
    check_majorities,
    check_quantiles,
    class_sizes,
    path_of,
    rank_of,
    table_of,
)
from paperlib.hypergraphs.signals import LayerSignals


@dataclass(frozen=True)
class Significance:
    """For how many images of each class the signal in each direction is above the threshold.

    ``counts`` int64 ``(directions, classes)``, ``sizes`` int64 ``(classes,)`` the images of each class. ``q`` is the
    quantile in [0, 1] that gave the ``threshold``, ``()`` for the whole layer or ``(directions,)``; ``p`` is the
    majority in percent.
    """

    path: str
    classes: tuple[str, ...]
    counts: Tensor
    sizes: Tensor
    q: float
    p: float
    threshold: Tensor

    @property
    def shares(self) -> Tensor:
        """Share of the images of each class, in [0, 1], float64 ``(directions, classes)``."""
        return self.counts / self.sizes.double()

    @property
    def table(self) -> Tensor:
        """Whether a direction is significant for a class: for at least ``p`` per cent of its images, bool."""
        return at_least(self.counts, self.sizes, self.p)


def at_least(counts: Tensor, sizes: Tensor, p: float) -> Tensor:
    """Whether ``counts`` ``(..., classes)`` are at least ``p`` per cent of ``sizes``; whole percentages are exact."""
    return 100.0 * counts.double() >= p * sizes.double()


def thresholds(signals: LayerSignals | Tensor, quantiles: Sequence[float], *, per_direction: bool = False) -> Tensor:
    """The quantiles of the signals ``(images, directions)``: ``(quantiles,)``, or ``(quantiles, directions)``.

    Over all signals of the layer, every image and every direction, or over the images for each direction by itself
    (the paper leaves it open; it speaks of the distribution of all signals). A threshold is itself a signal, the one
    of rank ``floor(q (n - 1))`` among n; any other definition of a quantile between it and the next signal has the
    same signals above it.

    Raises ``ValueError`` for a quantile outside [0, 1] and as `table_of` does.
    """
    check_quantiles(quantiles)
    table = table_of(signals)
    values = table.numpy() if per_direction else table.flatten().numpy()
    places = [rank_of(q, len(values)) for q in quantiles]
    # Only these ranks are put in order, which takes a fraction of the time of sorting.
    return torch.from_numpy(np.partition(values, places, axis=0)[places])


def threshold(signals: LayerSignals | Tensor, q: float, *, per_direction: bool = False) -> Tensor:
    """The threshold at one quantile, ``()`` or ``(directions,)``; see `thresholds`."""
    return thresholds(signals, [q], per_direction=per_direction)[0]


def significant_directions(signals: LayerSignals | Tensor, threshold: Tensor) -> Tensor:
    """Whether the signal of an image in a direction is strictly greater: bool ``(images, directions)``."""
    return table_of(signals) > threshold


def significance(
    signals: LayerSignals | Tensor,
    labels: Tensor,
    classes: Sequence[str],
    q: float,
    p: float,
    *,
    per_direction: bool = False,
) -> Significance:
    """Significance for each class at quantile ``q`` and majority ``p`` (`convsvd`, Section 5).

    ``signals`` are those of a layer, or a table ``(images, directions)``; ``labels`` int64 ``(images,)`` are places in
    ``classes``, their names.

    Raises ``ValueError`` for q outside [0, 1], p outside (50, 100], labels that do not fit, a class without image,
    and signals that are not finite.

    In the book: thm-signal-thresholds.
    """
    check_majorities([p])
    table = table_of(signals)
    sizes = class_sizes(labels, classes, len(table))
    cut = threshold(table, q, per_direction=per_direction)
    members = one_hot(labels.cpu().long(), len(classes)).double()
    counts = ((table > cut).double().mT @ members).long()
    return Significance(path_of(signals), tuple(classes), counts, sizes, float(q), float(p), cut)
