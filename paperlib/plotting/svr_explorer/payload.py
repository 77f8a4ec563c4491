"""Graphs as compact JSON that `static/data.js` reads: numbers as base64 of typed arrays."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from paperlib.plotting.svr_layout import check_edges, layer_columns, layer_names
from paperlib.svr.export import SvrGraph

# Edges of one graph: more than a browser draws while a slider moves.
MOST_EDGES = 60_000


def payload(graphs: Sequence[SvrGraph], labels: Sequence[str]) -> dict[str, Any]:
    """All that the explorer shows, as a JSON value: ``level``, the largest p-value of all edges, and ``moments``.

    A moment is a graph with its ``label``: layers with their ``place`` from left to right in (0, 1); connections with
    their number of ``edges`` and how many were ``significant``; ``cut``, ``candidates`` and ``most`` as `Edges` has
    them (candidates of all connections); and little-endian arrays as base64. ``singularValues`` (float32) and
    ``intensities`` (uint8, 255 for 1) stand for all layers one behind the other; for each edge, connection by
    connection, ``later`` and ``earlier`` (uint16) are indices within the layer, beside ``coefficients`` and
    ``significances`` (float32), minus the decimal logarithm of the p-value.

    Raises ``ValueError`` unless there is one label of its own for each of one or more graphs, for edges that belong to
    another representation, and for more than ``MOST_EDGES`` of them.
    """
    if not graphs or len(graphs) != len(labels):
        raise ValueError(f"{len(graphs)} graphs have {len(labels)} labels; expected one for each of one or more graphs")
    if len(set(labels)) < len(labels):
        raise ValueError(
            f"labels are {list(labels)}; expected different ones, by which a reader tells the graphs apart"
        )
    moments = [_moment(graph, label) for graph, label in zip(graphs, labels, strict=True)]
    level = max(graph.edges.cut for graph in graphs) or max(graph.edges.p for graph in graphs)
    return {"level": level, "moments": moments}


def _moment(graph: SvrGraph, label: str) -> dict[str, Any]:
    edges = graph.edges
    if len(edges) > MOST_EDGES:
        raise ValueError(
            f"{label}: {len(edges)} edges are more than the {MOST_EDGES} that a page can draw while a slider moves; "
            "take a smaller p, or set most, the number of edges kept of each connection"
        )
    check_edges(graph, label)
    order = edges.connection.argsort(stable=True)
    return {
        "label": label,
        "layers": _layers(graph),
        "connections": _connections(graph),
        "cut": edges.cut,
        "candidates": sum(edges.candidates),
        "most": edges.most,
        "singularValues": _base64(torch.cat([layer.singular_values for layer in graph.layers]), "<f4"),
        "intensities": _base64((torch.cat(graph.intensities) * 255).round(), "u1"),
        "later": _base64(edges.later[order], "<u2"),
        "earlier": _base64(edges.earlier[order], "<u2"),
        "coefficients": _base64(edges.coefficient[order], "<f4"),
        "significances": _base64(-edges.p_value[order].log10(), "<f4"),
    }


def _layers(graph: SvrGraph) -> list[dict[str, Any]]:
    columns = layer_columns(graph)
    width = round(max(columns)) + 1
    return [
        {
            "path": layer.path,
            "name": name,
            "kind": layer.kind,
            "side": layer.side,
            "shape": " × ".join(map(str, layer.weight_shape)),
            "count": len(layer.singular_values),
            "place": round((column + 0.5) / width, 5),
        }
        for layer, name, column in zip(graph.layers, layer_names(graph), columns, strict=True)
    ]


def _connections(graph: SvrGraph) -> list[dict[str, int]]:
    counts = torch.bincount(graph.edges.connection, minlength=len(graph.connections)).tolist()
    return [
        {"earlier": connection.earlier, "later": connection.later, "significant": significant, "edges": count}
        for connection, significant, count in zip(graph.connections, graph.edges.significant, counts, strict=True)
    ]


def _base64(values: Tensor, dtype: str) -> str:
    return base64.b64encode(values.cpu().numpy().astype(np.dtype(dtype)).tobytes()).decode()
