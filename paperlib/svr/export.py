"""The graph of spectral neurons with its significant edges, for networkx, as a table and as JSON."""

import json
from dataclasses import dataclass

import networkx
import pandas as pd
import torch
from torch import Tensor

from paperlib.svr.edges import Edges
from paperlib.svr.representation import Layer, Representation
from paperlib.svr.summaries import layer_intensities, summaries

SCHEMA = "paperlib.svr.graph"
VERSION = 1

_PER_EDGE = ("later", "earlier", "coefficient", "p_value")


@dataclass(frozen=True)
class GraphConnection:
    """A connection without its coefficients: the layers that it joins, as indices, and what sums it up.

    ``channels`` and ``degrees`` are those of the `Adjacency`; ``d_out``, ``d_in`` and ``excess`` the internal
    dimensions; ``energy`` as `energy` has it, ``1 / channels`` by chance.
    """

    earlier: int
    later: int
    channels: float
    degrees: float
    d_out: int
    d_in: int
    excess: float
    energy: float


@dataclass(frozen=True)
class SvrGraph:
    """What a drawing of a singular value representation shows: spectral neurons and the significant edges.

    ``intensities`` holds one tensor ``(M,)`` in [0, 1] for each layer. The coefficients that are not significant are
    gone, and with them most of the representation's memory.
    """

    layers: tuple[Layer, ...]
    intensities: tuple[Tensor, ...]
    connections: tuple[GraphConnection, ...]
    edges: Edges
    batch_norm: str


def svr_graph(representation: Representation, edges: Edges) -> SvrGraph:
    """The graph of a representation and some of its edges. Raises ``ValueError`` as `internal_dimensions` does."""
    connections = []
    for connection, summary in zip(representation.connections, summaries(representation), strict=True):
        found, dimensions = connection.adjacency, summary.dimensions
        connections.append(
            GraphConnection(
                connection.earlier, connection.later, found.channels, found.degrees,
                dimensions.d_out, dimensions.d_in, dimensions.excess, summary.energy,
            )
        )  # fmt: skip
    intensities = layer_intensities(representation)
    return SvrGraph(representation.layers, intensities, tuple(connections), edges, representation.batch_norm)


def to_networkx(graph: SvrGraph) -> networkx.DiGraph:
    """A directed graph from earlier to later spectral neurons.

    Nodes are ``(path, side, index)`` with ``layer`` (its index), ``singular_value`` and ``intensity``; edges have
    ``weight``, the coefficient, and ``p_value``.
    """
    drawn = networkx.DiGraph()
    for index, (layer, intensities) in enumerate(zip(graph.layers, graph.intensities, strict=True)):
        values = zip(layer.singular_values.tolist(), intensities.tolist(), strict=True)
        for neuron, (value, intensity) in enumerate(values):
            node = layer.path, layer.side, neuron
            drawn.add_node(node, layer=index, singular_value=value, intensity=intensity)
    for row in edge_table(graph).itertuples():
        earlier = row.earlier_layer, row.earlier_side, row.earlier_neuron
        later = row.later_layer, row.later_side, row.later_neuron
        drawn.add_edge(earlier, later, weight=row.coefficient, p_value=row.p_value)
    return drawn


def edge_table(graph: SvrGraph) -> pd.DataFrame:
    """One row for each edge: layer (path), side, neuron and singular value of both ends, coefficient and p-value."""
    edges, columns = graph.edges, {}
    for end, neurons in (("earlier", edges.earlier), ("later", edges.later)):
        layers = [graph.layers[getattr(connection, end)] for connection in graph.connections]
        chosen = [layers[index] for index in edges.connection.tolist()]
        columns[f"{end}_layer"] = [layer.path for layer in chosen]
        columns[f"{end}_side"] = [layer.side for layer in chosen]
        columns[f"{end}_neuron"] = neurons.numpy()
        values = torch.zeros(len(edges), dtype=torch.float64)
        for index, layer in enumerate(layers):
            here = edges.connection == index
            values[here] = layer.singular_values[neurons[here]]
        columns[f"{end}_value"] = values.numpy()
    return pd.DataFrame(columns | {"coefficient": edges.coefficient.numpy(), "p_value": edges.p_value.numpy()})


def to_json(graph: SvrGraph, digits: int = 6) -> str:
    """The graph as compact JSON, numbers to ``digits`` significant ones; `from_json` reads it.

    An object with ``schema`` (``"paperlib.svr.graph"``), ``version`` (1), ``batch_norm``, ``layers`` (``path``,
    ``kind``, ``side``, ``weight_shape``, ``singular_values``, ``intensities``), ``connections`` and ``test``: ``p``,
    ``law``, ``correction``, ``most``, ``cut`` and ``expected_false`` of `Edges`. Each connection has the fields of
    `GraphConnection`, ``threshold`` (null where no edge can be significant), ``candidates`` and ``significant`` of
    `Edges`, and ``edges``, an object of arrays of the same length: ``later``, ``earlier``, ``coefficient``,
    ``p_value``. Whole numbers are exact.
    """

    def rounded(value: float) -> float:
        return value if isinstance(value, int) else float(f"{value:.{digits}g}")

    def listed(values: Tensor) -> list:
        return [rounded(value) for value in values.tolist()]

    layers = [
        {
            "path": layer.path, "kind": layer.kind, "side": layer.side, "weight_shape": list(layer.weight_shape),
            "singular_values": listed(layer.singular_values), "intensities": listed(intensities),
        }
        for layer, intensities in zip(graph.layers, graph.intensities, strict=True)
    ]  # fmt: skip
    edges, connections = graph.edges, []
    for index, connection in enumerate(graph.connections):
        here = edges[edges.connection == index]
        threshold = edges.thresholds[index]
        connections.append(
            {name: rounded(value) for name, value in vars(connection).items()}
            | {
                "threshold": None if threshold == float("inf") else rounded(threshold),
                "candidates": edges.candidates[index],
                "significant": edges.significant[index],
                "edges": {name: listed(getattr(here, name)) for name in _PER_EDGE},
            }
        )
    test = {name: getattr(edges, name) for name in ("p", "law", "correction", "most", "cut", "expected_false")}
    whole = {"schema": SCHEMA, "version": VERSION, "batch_norm": graph.batch_norm}
    return json.dumps(whole | {"test": test, "layers": layers, "connections": connections}, separators=(",", ":"))


def from_json(text: str) -> SvrGraph:
    """The graph that `to_json` wrote. Raises ``ValueError`` for text of another schema or version."""
    found = json.loads(text)
    kind = (found.get("schema"), found.get("version")) if isinstance(found, dict) else (None, None)
    if kind != (SCHEMA, VERSION):
        raise ValueError(f"schema {kind[0]!r}, version {kind[1]!r}; expected {SCHEMA!r}, version {VERSION}")
    layers, intensities = [], []
    for layer in found["layers"]:
        intensities.append(_floats(layer.pop("intensities")))
        shape, values = tuple(layer.pop("weight_shape")), _floats(layer.pop("singular_values"))
        layers.append(Layer(weight_shape=shape, singular_values=values, **layer))
    connections = found["connections"]
    graph_connections = tuple(
        GraphConnection(**{name: one[name] for name in GraphConnection.__dataclass_fields__}) for one in connections
    )
    edges = _edges(connections, found["test"])
    return SvrGraph(tuple(layers), tuple(intensities), graph_connections, edges, found["batch_norm"])


def _edges(connections: list[dict], test: dict) -> Edges:
    indices = [torch.full((len(one["edges"]["later"]),), index) for index, one in enumerate(connections)]
    later, earlier, coefficient, p_value = (
        [value for one in connections for value in one["edges"][name]] for name in _PER_EDGE
    )
    return Edges(
        torch.cat(indices), torch.tensor(later, dtype=torch.int64), torch.tensor(earlier, dtype=torch.int64),
        _floats(coefficient), _floats(p_value),
        thresholds=tuple(float("inf") if one["threshold"] is None else one["threshold"] for one in connections),
        candidates=tuple(one["candidates"] for one in connections),
        significant=tuple(one["significant"] for one in connections),
        **test,
    )  # fmt: skip


def _floats(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
