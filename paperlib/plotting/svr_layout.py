"""Where the layers of an SVR stand and what they are called, in static and interactive drawings alike."""

from collections import Counter
from itertools import combinations

from torch import Tensor

from paperlib.svr.export import SvrGraph

_LONGEST_NAME = 18
_SIDES = {"svr": "SVR", "co_svr": "co-SVR"}
# Columns that layers side by side in one column take; the rest keeps columns apart.
_SPREAD = 0.5


def layer_columns(graph: SvrGraph) -> list[float]:
    """The place of each layer from left to right, 0 for the first.

    A layer stands one column behind the last of those that feed it (its longest path from an input); layers of the
    same column stand side by side around it. In a chain this is the running order. Where a layer has two sides, as in
    a mixed representation, the one that writes stands behind the one that reads.
    """
    paths = [layer.path for layer in graph.layers]
    links = [(connection.earlier, connection.later) for connection in graph.connections]
    links += [(one, other) for one, other in combinations(range(len(paths)), 2) if paths[one] == paths[other]]
    depths = [0] * len(paths)
    # Running order: a layer's depth is final before those behind it are looked at.
    for earlier, later in sorted(links, key=lambda link: link[1]):
        depths[later] = max(depths[later], depths[earlier] + 1)
    sharing, seen = Counter(depths), Counter()
    columns = []
    for depth in depths:
        aside = seen[depth] / (sharing[depth] - 1) - 0.5 if sharing[depth] > 1 else 0
        columns.append(depth + _SPREAD * aside)
        seen[depth] += 1
    return columns


def layer_names(graph: SvrGraph) -> list[str]:
    """Module paths, of long ones the end behind an ellipsis, with the side where a layer has two."""
    times = Counter(layer.path for layer in graph.layers)
    return [
        _short(layer.path) + (f" ({_SIDES[layer.side]})" if times[layer.path] > 1 else "") for layer in graph.layers
    ]


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_NAME else "…" + path[1 - _LONGEST_NAME :]


def check_edges(graph: SvrGraph, name: str) -> None:
    """Raise ``ValueError``, with the graph's ``name``, where edges join spectral neurons that its layers have not."""
    edges = graph.edges
    if len(edges) and int(edges.connection.max()) >= len(graph.connections):
        raise ValueError(
            f"{name}: edges belong to connection {int(edges.connection.max())} of {len(graph.connections)}; expected "
            "the edges of this very representation"
        )
    for number, connection in enumerate(graph.connections):
        here = edges.connection == number
        _check_ends(edges.later[here], graph, connection.later, name)
        _check_ends(edges.earlier[here], graph, connection.earlier, name)


def _check_ends(neurons: Tensor, graph: SvrGraph, index: int, name: str) -> None:
    layer = graph.layers[index]
    if len(neurons) and int(neurons.max()) >= len(layer.singular_values):
        raise ValueError(
            f"{name}: edges reach spectral neuron {int(neurons.max())} of layer {layer.path!r}, which has "
            f"{len(layer.singular_values)}; expected the edges of this very representation"
        )
