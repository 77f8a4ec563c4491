"""A family of hypergraphs with their hierarchies as JSON that `static/explorer.js` reads."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from paperlib.hypergraphs import Family, Hypergraph, semantic_hierarchy

# Of the whole page, which a reader may have to fetch over a slow line.
MOST_BYTES = 1_500_000

# By the name of the row that shows them: for a direction its images ``(count, channels, height, width)`` in [0, 1].
Pictures = Mapping[str, Mapping[int, Tensor]]


def payload(family: Family, class_names: Sequence[str], pictures: Pictures) -> dict[str, Any]:
    """All that the explorer shows, as a JSON value.

    ``cells[a][b]`` is the hypergraph at ``quantiles[a]`` and ``majorities[b]``: ``classes``, a pair of members
    (indices of directions) and hyperedges (places in ``names``) for each equivalence class, and ``edges``, pairs of
    places in ``classes``, the larger set first. ``threshold`` is null where each direction has its own.
    ``singularValues`` and ``pictures`` (rows of a name and data URIs by direction) are those of directions that are
    a node somewhere.

    Raises ``ValueError`` for another number of names than the family has classes, and for pictures of another shape.
    """
    if len(class_names) != len(family.classes):
        raise ValueError(
            f"{len(class_names)} class names for the {len(family.classes)} classes of layer {family.path!r}; "
            "expected one for each"
        )
    graphs = [[family.hypergraph(q, p) for p in family.majorities] for q in family.quantiles]
    nodes = sorted({node for row in graphs for graph in row for node in graph.nodes})
    values = family.singular_values
    return {
        "path": family.path,
        "names": [str(name) for name in class_names],
        "quantiles": list(family.quantiles),
        "majorities": list(family.majorities),
        "cells": [[_cell(graph) for graph in row] for row in graphs],
        "singularValues": {} if values is None else {str(node): _rounded(values[node]) for node in nodes},
        "pictures": [
            {"name": name, "images": {str(node): _uris(name, found[node]) for node in nodes if node in found}}
            for name, found in pictures.items()
        ],
    }


def _cell(graph: Hypergraph) -> dict[str, Any]:
    hierarchy = semantic_hierarchy(graph)
    return {
        "threshold": None if graph.threshold.dim() else _rounded(graph.threshold),
        "classes": [[list(one.members), list(one.hyperedges)] for one in hierarchy.classes],
        "edges": [list(edge) for edge in hierarchy.edges],
    }


def _rounded(value: Tensor) -> float:
    return float(f"{float(value):.4g}")


def _uris(name: str, images: Tensor) -> list[str]:
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"pictures {name!r} are {tuple(images.shape)}; expected (count, channels, height, width) with 1 or 3 "
            "channels for each direction"
        )
    return [_uri(image) for image in images]


def _uri(image: Tensor) -> str:
    pixels = (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, 2).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
