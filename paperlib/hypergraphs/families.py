"""The hypergraphs of one layer at many quantiles and majorities at once, for sliders and for studies of both."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.hypergraphs.checks import check_majorities, class_sizes, path_of, table_of
from paperlib.hypergraphs.hypergraph import Hypergraph, hypergraph
from paperlib.hypergraphs.signals import LayerSignals
from paperlib.hypergraphs.significance import Significance, at_least, thresholds

SCHEMA = "paperlib.hypergraphs.family"
VERSION = 1


@dataclass(frozen=True)
class Family:
    """How many images of each class are above each threshold: all that the hypergraphs at any (q, p) follow from.

    ``quantiles`` in [0, 1] and ``majorities`` in per cent, both increasing. ``counts`` int64
    ``(quantiles, directions, classes)`` are images with a signal strictly above the threshold, ``sizes`` int64
    ``(classes,)`` all images of a class. ``thresholds`` ``(quantiles,)``, or ``(quantiles, directions)`` where each
    direction has its own. ``singular_values`` float64 ``(directions,)``, None for a plain table of signals.
    """

    path: str
    classes: tuple[str, ...]
    quantiles: tuple[float, ...]
    majorities: tuple[float, ...]
    thresholds: Tensor
    counts: Tensor
    sizes: Tensor
    singular_values: Tensor | None

    def significance(self, q: float, p: float) -> Significance:
        """The table at one quantile and one majority of the family; raises ``ValueError`` for others."""
        place = _place(self.quantiles, q, "quantiles")
        _place(self.majorities, p, "majorities")
        return Significance(
            self.path, self.classes, self.counts[place], self.sizes, float(q), float(p), self.thresholds[place]
        )

    def hypergraph(self, q: float, p: float) -> Hypergraph:
        """The hypergraph at one quantile and one majority of the family; raises ``ValueError`` for others."""
        return hypergraph(self.significance(q, p))

    def incidences(self) -> Tensor:
        """Every table of significance, bool ``(quantiles, majorities, directions, classes)``."""
        return torch.stack([at_least(self.counts, self.sizes, p) for p in self.majorities], 1)

    def to_json(self, digits: int = 6) -> str:
        """The family as compact JSON; numbers that are not whole have ``digits`` significant digits.

        An object with ``schema`` (``"paperlib.hypergraphs.family"``), ``version`` (1), ``path``, ``classes``,
        ``quantiles``, ``majorities``, ``thresholds``, ``counts`` (quantiles of directions of classes), ``sizes`` and
        ``singular_values`` (null where there are none). A direction is significant for a class at quantile number a
        and majority p where ``100 counts[a][direction][class] >= p sizes[class]``.
        """

        def rounded(values):
            return [rounded(one) for one in values] if isinstance(values, list) else float(f"{values:.{digits}g}")

        values = self.singular_values
        whole = {
            "schema": SCHEMA, "version": VERSION, "path": self.path, "classes": self.classes,
            "quantiles": self.quantiles, "majorities": self.majorities,
            "thresholds": rounded(self.thresholds.tolist()), "counts": self.counts.tolist(),
            "sizes": self.sizes.tolist(), "singular_values": None if values is None else rounded(values.tolist()),
        }  # fmt: skip
        return json.dumps(whole, separators=(",", ":"))


def families(
    signals: LayerSignals | Tensor,
    labels: Tensor,
    classes: Sequence[str],
    quantiles: Sequence[float],
    majorities: Sequence[float],
    *,
    per_direction: bool = False,
) -> Family:
    """The family of hypergraphs over all ``quantiles`` and ``majorities``, in one pass over the signals.

    Arguments are those of `significance`, whose table is that of the family at any of its (q, p). Raising q or p never
    adds an incidence.

    Raises ``ValueError`` as `significance` does, and for lists that are empty.

    In the book: thm-signal-thresholds.
    """
    if not quantiles or not majorities:
        raise ValueError(f"{len(quantiles)} quantiles and {len(majorities)} majorities; expected at least one of each")
    quantiles, majorities = sorted({float(q) for q in quantiles}), sorted({float(p) for p in majorities})
    check_majorities(majorities)
    table = table_of(signals)
    sizes = class_sizes(labels, classes, len(table))
    cuts = thresholds(table, quantiles, per_direction=per_direction)
    values = signals.singular_values if isinstance(signals, LayerSignals) else None
    counts = _counts(table, labels.cpu().long(), len(classes), cuts)
    return Family(path_of(signals), tuple(classes), tuple(quantiles), tuple(majorities), cuts, counts, sizes, values)


def _counts(table: Tensor, labels: Tensor, classes: int, cuts: Tensor) -> Tensor:
    """Images of each class above each threshold, int64 ``(quantiles, directions, classes)``."""
    directions, levels = table.shape[1], len(cuts) + 1
    boundaries = cuts.mT.contiguous() if cuts.dim() == 2 else cuts
    # Thresholds increase with the quantile, so the number of them strictly below a signal says all.
    below = torch.searchsorted(boundaries, table.mT.contiguous())
    cells = (below * directions + torch.arange(directions).unsqueeze(1)) * classes + labels
    found = torch.bincount(cells.flatten(), minlength=levels * directions * classes)
    found = found.reshape(levels, directions, classes)
    return found.flip(0).cumsum(0).flip(0)[1:]


def _place(values: tuple[float, ...], value: float, name: str) -> int:
    if float(value) not in values:
        raise ValueError(f"{value} is not among the {name} of this family: {', '.join(f'{one:g}' for one in values)}")
    return values.index(float(value))
