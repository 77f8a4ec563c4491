"""Figure 9 from the parameters of its notebook: measured on CIFAR-10, or taken from a result that is kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import spearmanr

from paperlib import datasets
from paperlib.convsvd.cifar_hierarchy import (
    CLASSES,
    LIVING,
    VEHICLES,
    PicturedFamily,
    convolution_path,
    directions_of,
    from_values,
    pictured_family,
)
from paperlib.convsvd.softness import compare_groups
from paperlib.engine.results import Result
from paperlib.featurevis import VisualisationSettings, colour_transform
from paperlib.hypergraphs import semantic_hierarchy
from paperlib.stand_ins import vggs

_SIZE = (32, 32)
_GROUPS = {"living": LIVING, "vehicles": VEHICLES}
_TITLES = {"living": "living things", "vehicles": "vehicles"}
# What a kept result must have been measured with; everything else is computed from it anew.
_MEASURED_WITH = (
    "per_class", "depth", "layer", "quantiles", "majorities", "steps", "seeds", "seed", "data", "width", "epochs",
)  # fmt: skip


def measured_study(parameters: Mapping[str, Any], *, progress: bool = False) -> tuple[PicturedFamily, list[dict]]:
    """Hypergraphs and pictures measured on the test images ``parameters["images"]``, and the provenance of these.

    Raises what `paperlib.stand_ins.vggs`, `datasets.load` and `pictured_family` raise.
    """
    depth = parameters["depth"]
    settings = {name: parameters[name] for name in ("data", "width", "epochs")}
    model = vggs([depth], weights="cifar10", progress=progress, **settings)[f"vgg{depth}"]
    sample = datasets.balanced_subset(
        datasets.load(parameters["images"], "test"), parameters["per_class"], parameters["seed"]
    )
    colours = colour_transform(sample.images, sample.title)
    found = pictured_family(
        model,
        convolution_path(model, parameters["layer"]),
        sample,
        parameters["quantiles"],
        parameters["majorities"],
        settings=VisualisationSettings(size=_SIZE, channels=3, steps=parameters["steps"], colours=colours),
        seeds=parameters["seeds"],
    )
    return found, [sample.provenance()]


def kept_study(parameters: Mapping[str, Any], result: Result) -> tuple[PicturedFamily, list[dict]]:
    """The same from a recorded result; raises ``ValueError`` where that was measured with other parameters."""
    other = [name for name in _MEASURED_WITH if parameters[name] != result.parameters[name]]
    if other:
        was = ", ".join(f"{name} = {result.parameters[name]}" for name in other)
        raise ValueError(
            f"the kept result was measured with {was}; set images to cifar10_jpeg or cifar10 to measure with other "
            "parameters"
        )
    return from_values(result.values["pictured"]), list(result.data)


def study_values(found: PicturedFamily, q: float, p: float, *, draws: int, seed: int) -> dict[str, Any]:
    """The sizes of the hierarchy at (q, p) and what the edges are like in its two groups, as plain values.

    ``living`` and ``vehicles`` are directions significant for classes of that group alone, ``whole`` those for all of
    them. ``gradient`` and ``sharpness`` compare the optimised images of the two groups; below ``exemplary`` stand the
    same for their exemplary images, below ``baseline`` for the images of the classes themselves. Each has numbers by
    group and, where both groups have some, the `GroupComparison` of living with vehicles. ``affinity`` has what
    `affinity_correlations` gives.
    """
    graph = found.family.hypergraph(q, p)
    hierarchy = semantic_hierarchy(graph)
    groups = {name: directions_of(graph, members) for name, members in _GROUPS.items()}
    values: dict[str, Any] = {
        "nodes": len(graph.nodes),
        "classes": len(hierarchy.classes),
        "hyperedges": len(graph.hyperedges),
        "edges": len(hierarchy.edges),
        "threshold": float(graph.threshold),
        "top_all": hierarchy.top is not None,
        "exemplary": {},
        "baseline": {},
    }
    sets = dict(zip(graph.nodes, graph.class_sets, strict=True))
    for name, nodes in groups.items():
        values[name] = {
            "nodes": list(nodes),
            "whole": [node for node in nodes if len(sets[node]) == len(_GROUPS[name])],
            "singular_values": [float(found.family.singular_values[node]) for node in nodes],
        }
    for name, edges in found.edges.items():
        of_classes = {group: [edges.classes[one] for one in members] for group, members in _GROUPS.items()}
        values[name] = _compared(
            {group: _means(edges.optimised, nodes) for group, nodes in groups.items()}, draws, seed
        )
        values["exemplary"][name] = _compared(
            {group: _means(edges.exemplary, nodes) for group, nodes in groups.items()}, draws, seed
        )
        values["baseline"][name] = _compared(of_classes, draws, seed)
    values["affinity"] = affinity_correlations(found, q)
    return values


def affinity_correlations(found: PicturedFamily, q: float) -> dict[str, Any]:
    """Whether directions for living things have softer optimised images, over all directions with pictures.

    The affinity of a direction is the mean share of images of a class of living things whose signal is above the
    quantile ``q``, less that of vehicles. By measure, Spearman's correlation of the affinity with the edges and its
    two-sided p-value; ``directions`` is their number. Without majorities no direction is left out, so that there are
    more of them than in the two groups.
    """
    family = found.family
    shares = family.counts[family.quantiles.index(float(q))] / family.sizes.double()
    living, vehicles = (shares[:, [CLASSES.index(one) for one in group]].mean(1) for group in (LIVING, VEHICLES))
    nodes = sorted(found.optimised)
    values: dict[str, Any] = {"directions": len(nodes)}
    for name, edges in found.edges.items():
        test = spearmanr((living - vehicles)[nodes].numpy(), _means(edges.optimised, nodes))
        values[name] = {"spearman": float(test.statistic), "p_value": float(test.pvalue)}
    return values


def _means(gradients: Mapping[int, Sequence[float]], nodes: Sequence[int]) -> list[float]:
    return [sum(gradients[node]) / len(gradients[node]) for node in nodes]


def _compared(groups: dict[str, list[float]], draws: int, seed: int) -> dict[str, Any]:
    living, vehicles = groups["living"], groups["vehicles"]
    if not living or not vehicles:
        return groups
    return groups | vars(compare_groups(living, vehicles, draws=draws, seed=seed))


def edge_panels(
    found: PicturedFamily, measure: str, q: float, p: float
) -> dict[str, dict[str, dict[str, Sequence[float]]]]:
    """The numbers behind `study_values` for `draw_group_edges`: by kind of image, group, and direction or class."""
    graph, edges = found.family.hypergraph(q, p), found.edges[measure]

    def by_direction(numbers: Mapping[int, Sequence[float]]) -> dict[str, dict[str, Sequence[float]]]:
        return {
            _TITLES[group]: {f"v{node}": numbers[node] for node in directions_of(graph, members)}
            for group, members in _GROUPS.items()
        }

    return {
        "optimised images": by_direction(edges.optimised),
        "exemplary images": by_direction(edges.exemplary),
        "all images of a class": {
            _TITLES[group]: {name: [edges.classes[name]] for name in members} for group, members in _GROUPS.items()
        },
    }
