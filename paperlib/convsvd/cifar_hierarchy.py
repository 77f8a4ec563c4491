"""The semantic hierarchy of a VGG on CIFAR-10, with pictures of its directions (`convsvd`, Figure 9)."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from paperlib.convsvd.softness import gradient_magnitudes, sharpness
from paperlib.datasets import ImageData
from paperlib.featurevis import VisualisationSettings, exemplary_images, optimise
from paperlib.hypergraphs import Family, Hypergraph, families, signal_vectors

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
VEHICLES = ("airplane", "automobile", "ship", "truck")
LIVING = ("bird", "cat", "deer", "dog", "frog", "horse")


MEASURES = {"gradient": gradient_magnitudes, "sharpness": sharpness}


@dataclass(frozen=True)
class Edges:
    """One measure of edges in images: of a direction's ``optimised`` and ``exemplary`` ones, and of ``classes``.

    By direction a number for each image, and by name the mean over all images of a class.
    """

    optimised: Mapping[int, tuple[float, ...]]
    exemplary: Mapping[int, tuple[float, ...]]
    classes: Mapping[str, float]


@dataclass(frozen=True)
class PicturedFamily:
    """Hypergraphs of a layer over (q, p), with pictures of directions and what their edges are like.

    By direction: ``optimised`` images ``(1, 3, height, width)``, the first of several whose edges were measured, and
    ``exemplary`` ones ``(count, 3, height, width)``, float32 in [0, 1]. ``edges`` has those of each of ``MEASURES``.
    """

    family: Family
    optimised: Mapping[int, Tensor]
    exemplary: Mapping[int, Tensor]
    edges: Mapping[str, Edges]


def convolution_path(model: nn.Module, number: int) -> str:
    """Path of the convolution with this number, counted from 1 as the paper does; raises ``IndexError`` for others."""
    paths = [path for path, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    if not 1 <= number <= len(paths):
        raise IndexError(f"{type(model).__name__} has {len(paths)} convolutions, 1..{len(paths)}; there is no {number}")
    return paths[number - 1]


def pictured_family(
    model: nn.Module,
    path: str,
    data: ImageData,
    quantiles: Sequence[float],
    majorities: Sequence[float],
    *,
    settings: VisualisationSettings,
    seeds: Sequence[int],
    count: int = 3,
) -> PicturedFamily:
    """Signals of ``data`` (labels 0 to 9 of CIFAR-10), the family of hypergraphs, and pictures of directions.

    Directions that are a node at any (q, p) get an image optimised from each of the ``seeds``, of which the first is
    kept, and their ``count`` exemplary images.

    Raises what `signal_vectors`, `families` and `optimise` raise.
    """
    layer = signal_vectors(model, data.images, [path])[path]
    family = families(layer, data.labels, CLASSES, quantiles, majorities)
    nodes = family.incidences().any(3).any(1).any(0).nonzero().flatten().tolist()
    found = optimise(model, path, nodes * len(seeds), settings=settings, seed=[s for s in seeds for _ in nodes])
    best = exemplary_images(layer.signals[:, nodes], data.images, count)
    images = {node: found.images[place :: len(nodes)] for place, node in enumerate(nodes)}
    exemplary = {node: best.images[place] for place, node in enumerate(nodes)}
    first = {node: group[:1] for node, group in images.items()}
    return PicturedFamily(family, first, exemplary, {name: _edges(name, images, exemplary, data) for name in MEASURES})


def _edges(name: str, optimised: Mapping[int, Tensor], exemplary: Mapping[int, Tensor], data: ImageData) -> Edges:
    def numbers(images: Mapping[int, Tensor]) -> dict[int, tuple[float, ...]]:
        return {node: tuple(MEASURES[name](group).tolist()) for node, group in images.items()}

    every = MEASURES[name](data.images)
    classes = {title: float(every[data.labels == label].mean()) for label, title in enumerate(CLASSES)}
    return Edges(numbers(optimised), numbers(exemplary), classes)


def directions_of(hypergraph: Hypergraph, group: Sequence[str]) -> tuple[int, ...]:
    """Nodes of a hypergraph that are significant for classes of the group alone, increasing."""
    inside = {hypergraph.classes.index(name) for name in group}
    pairs = zip(hypergraph.nodes, hypergraph.class_sets, strict=True)
    return tuple(node for node, classes in pairs if set(classes) <= inside)


def part_of(hypergraph: Hypergraph, nodes: Sequence[int]) -> Hypergraph:
    """The hypergraph with some of its nodes alone; raises ``ValueError`` for others."""
    others = sorted(set(nodes) - set(hypergraph.nodes))
    if others:
        raise ValueError(f"{others} are no nodes of the hypergraph; it has {list(hypergraph.nodes)}")
    kept = torch.tensor([node in set(nodes) for node in hypergraph.nodes], dtype=torch.bool)
    return Hypergraph(
        hypergraph.path,
        hypergraph.classes,
        tuple(node for node in hypergraph.nodes if node in set(nodes)),
        hypergraph.incidence[kept],
        hypergraph.q,
        hypergraph.p,
        hypergraph.threshold,
    )


def to_values(found: PicturedFamily) -> dict[str, Any]:
    """The same as plain JSON values, pictures as base64 of PNG files, for a recorded result."""
    return {
        "family": json.loads(found.family.to_json()),
        "optimised": {str(node): [_encoded(one) for one in images] for node, images in found.optimised.items()},
        "exemplary": {str(node): [_encoded(one) for one in images] for node, images in found.exemplary.items()},
        "edges": {
            name: {
                "optimised": {str(node): list(numbers) for node, numbers in edges.optimised.items()},
                "exemplary": {str(node): list(numbers) for node, numbers in edges.exemplary.items()},
                "classes": dict(edges.classes),
            }
            for name, edges in found.edges.items()
        },
    }


def from_values(values: Mapping[str, Any]) -> PicturedFamily:
    """What `to_values` was given, pictures to eight bits; raises ``KeyError`` for a part that is missing."""
    whole = values["family"]
    family = Family(
        whole["path"],
        tuple(whole["classes"]),
        tuple(whole["quantiles"]),
        tuple(whole["majorities"]),
        torch.tensor(whole["thresholds"]),
        torch.tensor(whole["counts"]),
        torch.tensor(whole["sizes"]),
        None if whole["singular_values"] is None else torch.tensor(whole["singular_values"], dtype=torch.float64),
    )
    pictures = {
        name: {int(node): torch.stack([_decoded(one) for one in images]) for node, images in values[name].items()}
        for name in ("optimised", "exemplary")
    }
    edges = {
        name: Edges(_by_direction(one["optimised"]), _by_direction(one["exemplary"]), dict(one["classes"]))
        for name, one in values["edges"].items()
    }
    return PicturedFamily(family, **pictures, edges=edges)


def _by_direction(numbers: Mapping[str, Sequence[float]]) -> dict[int, tuple[float, ...]]:
    return {int(node): tuple(values) for node, values in numbers.items()}


def _encoded(image: Tensor) -> str:
    pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, 2).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _decoded(text: str) -> Tensor:
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(text))))
    return torch.from_numpy(pixels).movedim(2, 0).float() / 255
