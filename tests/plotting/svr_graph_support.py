"""Graphs with planted layers, connections and edges."""

from collections.abc import Sequence

import torch

from paperlib.svr.edges import Edges
from paperlib.svr.export import GraphConnection, SvrGraph
from paperlib.svr.representation import Layer


def layer(path: str, values: Sequence[float], kind: str = "fully_connected", side: str = "svr") -> Layer:
    shape = (len(values), 3) if kind == "fully_connected" else (len(values), 3, 3, 3)
    return Layer(path, kind, side, shape, torch.tensor(values, dtype=torch.float64))


def connection(earlier: int, later: int) -> GraphConnection:
    return GraphConnection(earlier, later, channels=4, degrees=1, d_out=1, d_in=1, excess=0.5, energy=0.3)


def edges_of(rows: Sequence[tuple[int, int, int, float, float]], connections: int, **changes) -> Edges:
    """Edges from rows of connection, earlier and later spectral neuron, coefficient and p-value."""
    columns = list(zip(*rows, strict=True)) or [()] * 5
    connection, earlier, later = (torch.tensor(column, dtype=torch.int64) for column in columns[:3])
    coefficient, p_value = (torch.tensor(column, dtype=torch.float64) for column in columns[3:])
    counts = connection.bincount(minlength=connections).tolist()
    settings = {
        "thresholds": (0.1,) * connections,
        "candidates": (6,) * connections,
        "significant": tuple(counts),
        "cut": 0.15,
        "expected_false": 0.9 * connections,
        "p": 0.15,
        "law": "chi2",
        "correction": "none",
        "most": None,
    }
    return Edges(connection, later, earlier, coefficient, p_value, **(settings | changes))


# Connection, earlier and later neuron, coefficient and p-value.
ROWS = [
    (0, 0, 0, 0.64, 1e-6),
    (0, 1, 2, 0.25, 0.01),
    (0, 2, 1, 0.16, 0.05),
    (1, 0, 1, 0.81, 1e-9),
    (1, 2, 0, 0.04, 0.149),
]


def chain(rows: Sequence[tuple[int, int, int, float, float]] = ROWS, **changes) -> SvrGraph:
    """A convolution with three spectral neurons, then fully connected layers with three and two."""
    layers = (
        layer("conv", [4.0, 2.0, 1.0], "convolution"),
        layer("hidden", [3.0, 1.5, 0.5]),
        layer("last", [2.5, 0.25]),
    )
    intensities = tuple(torch.tensor(row, dtype=torch.float64) for row in ([1.0, 0.5, 0.0], [0.2, 1.0, 0.4], [1, 1]))
    links = (connection(0, 1), connection(1, 2))
    return SvrGraph(layers, intensities, links, edges_of(rows, 2, **changes), "ignored")


def with_links(links: Sequence[tuple[int, int]], layers: Sequence[Layer]) -> SvrGraph:
    """A graph without edges."""
    intensities = tuple(torch.ones(len(one.singular_values), dtype=torch.float64) for one in layers)
    connections = tuple(connection(*link) for link in links)
    return SvrGraph(tuple(layers), intensities, connections, edges_of([], len(links)), "ignored")
