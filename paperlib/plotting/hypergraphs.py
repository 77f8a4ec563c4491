"""Class hypergraphs as drawings: rubber bands around collapsed nodes, and beside them who belongs to what."""

from collections.abc import Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import networkx
import numpy as np
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

from paperlib.hypergraphs import Hypergraph, SemanticHierarchy, equivalence_classes, semantic_hierarchy, to_hypernetx
from paperlib.plotting.style import DIGIT_COLOURS, style

# From one band around a node to the next, and of the disc itself, in units of the layout.
_BAND = 0.035
_DISC = 0.05
# Between the middles of two nodes, so that their labels stand apart.
_LEAST = 0.32


def class_colours(count: int) -> list[tuple[float, float, float]]:
    """A colour for each class: the ten of the digits, or as many hues of one lightness where there are more."""
    return list(DIGIT_COLOURS) if count <= len(DIGIT_COLOURS) else sns.husl_palette(count, l=0.55)


def draw_hypergraph(hypergraph: Hypergraph, *, seed: int = 0) -> Figure:
    """A class hypergraph with one node for each equivalence class (`convsvd`, Figures 6 and 7, at the left).

    At the left a band of HyperNetX around the nodes of each hyperedge; a node is labelled by its first direction and
    the number of its members. ``seed`` draws the start of the layout, nothing else. Bands that touch a node may cross
    others that have no node in common, so the same incidences stand at the right as a table: a row for each
    equivalence class, the larger first, with its members, a column for each class of images.

    Raises ``ValueError`` for a hypergraph without nodes.
    """
    if not hypergraph.nodes:
        raise ValueError(
            f"the hypergraph at q = {hypergraph.q:g} and p = {hypergraph.p:g} has no node; lower q or p to draw one"
        )
    hierarchy = semantic_hierarchy(hypergraph)
    rows = len(hierarchy.classes)
    with style():
        height = max(3.6, 0.26 * rows + 1.2)
        # The names of the members need about as much width as the table itself.
        widths = (4.0, 0.24 * len(hypergraph.classes) + 2.2)
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, height), width_ratios=widths)
        _draw_bands(left, hypergraph, seed)
        _draw_table(right, hierarchy)
        plt.close(figure)
    return figure


def collapsed(hypergraph: Hypergraph) -> Hypergraph:
    """The hypergraph with one node, the first, of each equivalence class."""
    kept = sorted(one.name for one in equivalence_classes(hypergraph))
    places = torch.tensor([hypergraph.nodes.index(node) for node in kept])
    return replace(hypergraph, nodes=tuple(kept), incidence=hypergraph.incidence[places])


def _draw_bands(axis: Axes, hypergraph: Hypergraph, seed: int) -> None:
    from hypernetx.drawing.rubber_band import draw_hyper_edges

    small = collapsed(hypergraph)
    bands = to_hypernetx(small)
    places = _layout(small, seed)
    radii = dict.fromkeys(bands.nodes, _DISC)
    names = list(bands.edges)
    palette = class_colours(len(hypergraph.classes))
    colours = [palette[hypergraph.classes.index(name)] for name in names]
    look = {"edgecolors": colours, "facecolors": "none", "linewidths": 1.4}
    polygons = draw_hyper_edges(bands, places, ax=axis, node_radius=radii, dr=_BAND, **look)
    for one in equivalence_classes(hypergraph):
        count = f" ×{len(one.members)}" if len(one.members) > 1 else ""
        axis.annotate(
            f"{one.name}{count}", places[one.name], ha="center", va="center", fontsize=7, zorder=5,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "0.3", "linewidth": 0.6},
        )  # fmt: skip
    _label_bands(axis, polygons, names, colours)
    axis.set_aspect("equal")
    axis.autoscale_view()
    axis.margins(0.12)
    axis.set_axis_off()
    axis.set_title("hyperedges as rubber bands")


def _layout(hypergraph: Hypergraph, seed: int) -> dict:
    """Places of nodes and hyperedges by springs between them, within the unit square around 0."""
    graph = networkx.Graph()
    graph.add_nodes_from(hypergraph.nodes)
    graph.add_edges_from((name, node) for name, nodes in hypergraph.hyperedges.items() for node in nodes)
    places = networkx.spring_layout(graph, seed=seed, k=3.0 / len(graph) ** 0.5, iterations=200)
    nodes = _pushed_apart(np.stack([places[node] for node in hypergraph.nodes]))
    return places | dict(zip(hypergraph.nodes, nodes, strict=True))


def _pushed_apart(points: np.ndarray) -> np.ndarray:
    """The same points, those too near to each other moved away from each other, a little in each round."""
    for _ in range(100):
        gaps = points[:, None] - points
        distances = np.linalg.norm(gaps, axis=2)
        np.fill_diagonal(distances, np.inf)
        pushes = np.clip(_LEAST - distances, 0, None) / np.maximum(distances, 1e-9)
        points = points + 0.25 * (pushes[..., None] * gaps).sum(1)
    return points


def _label_bands(axis: Axes, polygons: PolyCollection, names: Sequence[str], colours: Sequence) -> None:
    """A label on each band, spread over the directions around the drawing so that they stand apart."""
    outlines = [path.vertices for path in polygons.get_paths()]
    middle = np.concatenate(outlines).mean(0)
    angles = 2 * np.pi * np.arange(len(names)) / len(names) + 0.3
    rays = np.stack([np.cos(angles), np.sin(angles)], 1)
    # How far each band reaches in each direction: it is labelled where it stands out most.
    reach = np.array([((outline - middle) @ rays.T).max(0) for outline in outlines])
    for edge, ray in zip(*linear_sum_assignment(reach - reach.mean(0), maximize=True), strict=True):
        outline = outlines[edge]
        spot = outline[((outline - middle) @ rays[ray]).argmax()]
        axis.annotate(
            names[edge], spot, xytext=9 * rays[ray], textcoords="offset points", color=colours[edge], fontsize=8,
            fontweight="bold", ha="center", va="center", zorder=6,
            arrowprops={"arrowstyle": "-", "color": colours[edge], "linewidth": 0.8},
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        )  # fmt: skip


def _draw_table(axis: Axes, hierarchy: SemanticHierarchy) -> None:
    count, rows = len(hierarchy.class_names), len(hierarchy.classes)
    colours = class_colours(count)
    for row, one in enumerate(hierarchy.classes):
        axis.axhspan(row - 0.5, row + 0.5, color="0.96" if row % 2 else "white", linewidth=0, zorder=0)
        places = list(one.hyperedges)
        axis.scatter(range(count), [row] * count, s=16, color="0.85", zorder=2)
        axis.plot(places, [row] * len(places), color="0.4", linewidth=1.0, zorder=3)
        axis.scatter(places, [row] * len(places), s=52, c=[colours[i] for i in places], zorder=4)
        axis.text(count - 0.3, row, members_text(one.members), fontsize=7.5, va="center")
    _name_columns(axis, hierarchy.class_names, colours)
    axis.set_yticks([])
    axis.tick_params(length=0)
    axis.set_xlim(-0.6, count + 9)
    # Few rows stay as close as many; slanted names need the height of two or three.
    long = max(map(len, hierarchy.class_names)) > 2
    axis.set_ylim(max(rows, 9) - 0.5, -3.6 if long else -1.6)
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.text(count - 0.3, -0.65, "members", fontsize=8, va="bottom")
    axis.set_title("equivalence classes", loc="left")


def _name_columns(axis: Axes, names: Sequence[str], colours: Sequence) -> None:
    long = max(map(len, names)) > 2
    look = {"rotation": 60, "ha": "left", "rotation_mode": "anchor"} if long else {"ha": "center"}
    for place, (name, colour) in enumerate(zip(names, colours, strict=False)):
        axis.text(place, -0.65, name, color=colour, fontsize=8, fontweight="bold", va="bottom", **look)
    axis.set_xticks([])


def members_text(members: Sequence[int], most: int = 8) -> str:
    """Directions as indices, of many the first and how many more."""
    shown = ", ".join(str(member) for member in members[:most])
    return shown if len(members) <= most else f"{shown}, … ({len(members)})"
