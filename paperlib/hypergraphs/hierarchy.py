"""Equivalence classes of directions and the semantic hierarchy of a layer (`convsvd`, Section 5.2, eq. 17, 18)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.hypergraphs.hypergraph import Hypergraph


@dataclass(frozen=True)
class EquivalenceClass:
    """Directions that are significant for the very same classes (eq. 17).

    ``members`` are indices of directions, increasing, so the first has the largest singular value and names the
    class; ``hyperedges`` are places of the classes that contain them, increasing, at least one.
    """

    members: tuple[int, ...]
    hyperedges: tuple[int, ...]

    @property
    def name(self) -> int:
        """The direction that stands for the class: its first."""
        return self.members[0]


@dataclass(frozen=True)
class SemanticHierarchy:
    """The equivalence classes of a hypergraph, ordered by inclusion of their hyperedges (eq. 18).

    ``classes`` come by decreasing number of hyperedges, then by their first member. ``edges`` are those of the Hasse
    diagram, pairs ``(larger, smaller)`` of places in ``classes``: one pair where nothing lies between the two.
    ``levels`` hold for each class the length of the longest chain above it, 0 for those with none above.
    ``class_names`` are those of the hypergraph.
    """

    path: str
    class_names: tuple[str, ...]
    classes: tuple[EquivalenceClass, ...]
    edges: tuple[tuple[int, int], ...]
    levels: tuple[int, ...]

    @property
    def top(self) -> int | None:
        """The place of the equivalence class that every class of images has, None where there is none."""
        everything = tuple(range(len(self.class_names)))
        return next((place for place, one in enumerate(self.classes) if one.hyperedges == everything), None)

    def names_of(self, place: int) -> tuple[str, ...]:
        """Names of the hyperedges of the equivalence class at ``place``."""
        return tuple(self.class_names[index] for index in self.classes[place].hyperedges)


def equivalence_classes(hypergraph: Hypergraph) -> tuple[EquivalenceClass, ...]:
    """The nodes of a hypergraph by their sets of hyperedges, larger sets first (eq. 17)."""
    found: dict[tuple[int, ...], list[int]] = {}
    for node, hyperedges in zip(hypergraph.nodes, hypergraph.class_sets, strict=True):
        found.setdefault(hyperedges, []).append(node)
    classes = (EquivalenceClass(tuple(members), hyperedges) for hyperedges, members in found.items())
    return tuple(sorted(classes, key=lambda one: (-len(one.hyperedges), one.members)))


def semantic_hierarchy(hypergraph: Hypergraph) -> SemanticHierarchy:
    """The equivalence classes of a hypergraph with the edges of their Hasse diagram.

    ``[v_i] > [v_j]`` where the hyperedges of the first contain those of the second and more (eq. 18). An edge stands
    for each pair with nothing between: the transitive reduction of that order.
    """
    classes = equivalence_classes(hypergraph)
    order = strict_order(membership(classes, len(hypergraph.classes)))
    covers = transitive_reduction(order)
    edges = tuple((larger, smaller) for larger, smaller in covers.nonzero().tolist())
    return SemanticHierarchy(hypergraph.path, hypergraph.classes, classes, edges, _levels(order))


def membership(classes: tuple[EquivalenceClass, ...], count: int) -> Tensor:
    """Which of ``count`` hyperedges hold each equivalence class: bool ``(len(classes), count)``."""
    table = torch.zeros(len(classes), count, dtype=torch.bool)
    for place, one in enumerate(classes):
        table[place, list(one.hyperedges)] = True
    return table


def strict_order(sets: Tensor) -> Tensor:
    """Whether set i strictly contains set j, bool ``(n, n)``, of sets given as bool rows ``(n, elements)``."""
    rows = sets.double()
    shared, sizes = rows @ rows.T, rows.sum(1)
    return (shared == sizes) & (sizes.unsqueeze(1) > sizes)


def transitive_reduction(order: Tensor) -> Tensor:
    """The pairs of a strict partial order, bool ``(n, n)``, with nothing between them: its Hasse diagram."""
    paths = order.double()
    return order & (paths @ paths == 0)


def _levels(order: Tensor) -> tuple[int, ...]:
    levels = [0] * len(order)
    # Larger sets come first: the level of whatever lies above is final.
    for smaller, above in enumerate(order.T.tolist()):
        levels[smaller] = max((levels[larger] + 1 for larger, is_above in enumerate(above) if is_above), default=0)
    return tuple(levels)
