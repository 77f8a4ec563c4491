"""Hypergraphs in the Hypergraph Interchange Format (HIF) and for HyperNetX, hierarchies for networkx.

HIF (https://github.com/HIF-org/HIF-standard) is a JSON object of nodes, hyperedges and incidences that hypergraph
libraries have in common. HyperNetX 2.4 reads and writes it too, but fetches the schema from the network each time;
`to_hypernetx` needs none.
"""

from typing import TYPE_CHECKING, Any

import matplotlib
import networkx
import torch

from paperlib.hypergraphs.hierarchy import SemanticHierarchy
from paperlib.hypergraphs.hypergraph import Hypergraph

if TYPE_CHECKING:
    import hypernetx

_METADATA = ("path", "classes", "q", "p", "threshold")


def to_hif(hypergraph: Hypergraph) -> dict[str, Any]:
    """The hypergraph as a HIF object: plain dictionaries and lists, ready for ``json.dump``.

    Nodes are directions (integers), hyperedges class names. Classes without a node are no hyperedges; they stand with
    ``path``, ``q``, ``p`` and ``threshold`` in the metadata.
    """
    return {
        "network-type": "undirected",
        "metadata": {
            "path": hypergraph.path,
            "classes": list(hypergraph.classes),
            "q": hypergraph.q,
            "p": hypergraph.p,
            "threshold": hypergraph.threshold.tolist(),
        },
        "nodes": [{"node": node} for node in hypergraph.nodes],
        "edges": [{"edge": name} for name in hypergraph.hyperedges],
        "incidences": [{"edge": name, "node": node} for name, nodes in hypergraph.hyperedges.items() for node in nodes],
    }


def from_hif(found: dict[str, Any]) -> Hypergraph:
    """The hypergraph that `to_hif` wrote.

    Raises ``ValueError`` for an object without the metadata that it adds, with classes or nodes that are not listed,
    or of another network type.
    """
    about = found.get("metadata", {})
    missing = [name for name in _METADATA if name not in about]
    kind = found.get("network-type", "undirected")
    if missing or kind != "undirected":
        raise ValueError(
            f"the network type is {kind!r} and the metadata lack {', '.join(missing) or 'nothing'}; expected an "
            "undirected hypergraph as to_hif writes it"
        )
    classes = tuple(about["classes"])
    nodes = tuple(sorted(one["node"] for one in found["nodes"]))
    rows, columns = ({name: place for place, name in enumerate(names)} for names in (nodes, classes))
    incidence = torch.zeros(len(nodes), len(classes), dtype=torch.bool)
    for one in found["incidences"]:
        if one["node"] not in rows or one["edge"] not in columns:
            raise ValueError(f"incidence {one} names a node or a class that is not listed")
        incidence[rows[one["node"]], columns[one["edge"]]] = True
    if not incidence.any(1).all():
        raise ValueError("a node lies in no hyperedge; expected nodes that are significant for a class")
    return Hypergraph(
        about["path"], classes, nodes, incidence, about["q"], about["p"], torch.tensor(about["threshold"])
    )


def to_hypernetx(hypergraph: Hypergraph) -> "hypernetx.Hypergraph":
    """A copy as HyperNetX has it: nodes are directions, hyperedges class names; empty classes are left out."""
    # Late, because it takes seconds; it also changes matplotlib's default figure size for everyone.
    with matplotlib.rc_context():
        import hypernetx

    return hypernetx.Hypergraph({name: list(nodes) for name, nodes in hypergraph.hyperedges.items()})


def hierarchy_to_networkx(hierarchy: SemanticHierarchy) -> networkx.DiGraph:
    """The Hasse diagram as a directed graph from larger to smaller sets of classes.

    Nodes are the first members of equivalence classes, with ``members``, ``classes`` (names) and ``level``.
    """
    graph = networkx.DiGraph()
    for place, (one, level) in enumerate(zip(hierarchy.classes, hierarchy.levels, strict=True)):
        graph.add_node(one.name, members=one.members, classes=hierarchy.names_of(place), level=level)
    graph.add_edges_from(
        (hierarchy.classes[larger].name, hierarchy.classes[smaller].name) for larger, smaller in hierarchy.edges
    )
    return graph
