"""How alike two class hypergraphs are: of one layer for two samples, or of two networks."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from paperlib.hypergraphs.hypergraph import Hypergraph

Matching = Literal["directions", "class_sets"]


@dataclass(frozen=True)
class Comparison:
    """Which nodes of two hypergraphs belong together, and how far their incidences agree.

    ``pairs`` are nodes of the first and the second hypergraph, ``only_first`` and ``only_second`` those left alone.
    ``by_class`` float64 ``(classes,)`` is the Jaccard index of the nodes of each class: shared ones by those that
    either has, NaN for a class with no node in both. ``overall`` is that of all incidences, and ``structure`` that of
    the two collections of class sets, in which equivalence classes count once whatever their members: 1 where both
    hierarchies have the same diagram with the same labels. NaN where neither has any.
    """

    classes: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    only_first: tuple[int, ...]
    only_second: tuple[int, ...]
    by_class: Tensor
    overall: float
    structure: float


def compare(first: Hypergraph, second: Hypergraph, by: Matching = "directions") -> Comparison:
    """Compare two hypergraphs over the same classes.

    ``"directions"`` takes nodes of the same index for the same, which is right for the same weights. Directions of
    different networks have nothing to do with each other: ``"class_sets"`` pairs nodes so that the sum of the Jaccard
    indices of their class sets is largest (an assignment problem); pairs with nothing in common are none.

    Raises ``ValueError`` for hypergraphs over different classes and for another matching.
    """
    if by not in get_args(Matching):
        raise ValueError(f"by is {by!r}; expected one of {', '.join(get_args(Matching))}")
    if first.classes != second.classes:
        raise ValueError(
            f"the hypergraphs have the classes {', '.join(first.classes)} and {', '.join(second.classes)}; expected "
            "the same ones in the same order"
        )
    places = _same_directions(first, second) if by == "directions" else _same_class_sets(first, second)
    one, other = (torch.tensor(side, dtype=torch.int64) for side in (list(zip(*places, strict=True)) or [(), ()]))
    shared = (first.incidence[one] & second.incidence[other]).sum(0)
    union = first.incidence.sum(0) + second.incidence.sum(0) - shared
    sets, others = set(first.class_sets), set(second.class_sets)
    return Comparison(
        classes=first.classes,
        pairs=tuple((first.nodes[i], second.nodes[j]) for i, j in places),
        only_first=_rest(first, [i for i, _ in places]),
        only_second=_rest(second, [j for _, j in places]),
        by_class=shared.double() / union,
        overall=float(shared.sum().double() / union.sum()),
        structure=len(sets & others) / len(sets | others) if sets | others else float("nan"),
    )


def _same_directions(first: Hypergraph, second: Hypergraph) -> list[tuple[int, int]]:
    places = {node: place for place, node in enumerate(second.nodes)}
    return [(place, places[node]) for place, node in enumerate(first.nodes) if node in places]


def _same_class_sets(first: Hypergraph, second: Hypergraph) -> list[tuple[int, int]]:
    rows, columns = first.incidence.double(), second.incidence.double()
    shared = rows @ columns.T
    # Every node has a class, so that no union is empty.
    similarity = (shared / (rows.sum(1, keepdim=True) + columns.sum(1) - shared)).numpy()
    chosen = linear_sum_assignment(similarity, maximize=True)
    kept = similarity[chosen] > 0
    return [(int(i), int(j)) for i, j in np.stack(chosen, 1)[kept]]


def _rest(hypergraph: Hypergraph, places: list[int]) -> tuple[int, ...]:
    taken = set(places)
    return tuple(node for place, node in enumerate(hypergraph.nodes) if place not in taken)
