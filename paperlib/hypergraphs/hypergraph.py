"""The class hypergraph of a layer: directions as nodes, classes as hyperedges (`convsvd`, Section 5.1)."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from paperlib.hypergraphs.significance import Significance


@dataclass(frozen=True)
class Hypergraph:
    """Directions that are significant for at least one class, and the classes that they are significant for.

    ``nodes`` are indices of directions, increasing, so by decreasing singular value; ``incidence`` bool
    ``(nodes, classes)`` over all ``classes``, those without a node included. ``path`` is the layer's, empty for a plain
    table of signals; ``q``, ``p`` and ``threshold`` as `Significance` has them.
    """

    path: str
    classes: tuple[str, ...]
    nodes: tuple[int, ...]
    incidence: Tensor
    q: float
    p: float
    threshold: Tensor

    @cached_property
    def class_sets(self) -> tuple[tuple[int, ...], ...]:
        """The places of the hyperedges that contain each node, increasing."""
        return tuple(tuple(row.nonzero().flatten().tolist()) for row in self.incidence)

    @cached_property
    def hyperedges(self) -> dict[str, tuple[int, ...]]:
        """The nodes of each class that has any, by its name."""
        members = {
            name: tuple(node for node, inside in zip(self.nodes, column.tolist(), strict=True) if inside)
            for name, column in zip(self.classes, self.incidence.T, strict=True)
        }
        return {name: nodes for name, nodes in members.items() if nodes}

    @property
    def empty_classes(self) -> tuple[str, ...]:
        """Classes without a significant direction: they are no hyperedges."""
        return tuple(name for name in self.classes if name not in self.hyperedges)


def hypergraph(significance: Significance) -> Hypergraph:
    """The hypergraph of a layer from its table of significance."""
    table = significance.table
    kept = table.any(1)
    nodes = tuple(kept.nonzero().flatten().tolist())
    return Hypergraph(
        path=significance.path,
        classes=significance.classes,
        nodes=nodes,
        incidence=table[kept],
        q=significance.q,
        p=significance.p,
        threshold=significance.threshold,
    )
