"""The SVR of a network as a drawing: singular values against layers, joined by significant edges (`svr`, Section 2)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.plotting.style import style
from paperlib.plotting.svr_layout import check_edges, layer_columns, layer_names
from paperlib.svr.export import SvrGraph

# Hue tells the kind, also to the colour-blind; lightness tells the intensity, and a dark rim keeps pale discs visible.
KIND_COLOURS = {
    "convolution": LinearSegmentedColormap.from_list("convolution", ["#fbe3d6", "#b03a00"]),
    "fully_connected": LinearSegmentedColormap.from_list("fully_connected", ["#dceaf6", "#08519c"]),
}
_RIMS = {"convolution": "#8f3000", "fully_connected": "#063f7a"}
_KIND_NAMES = {"convolution": "convolution", "fully_connected": "fully connected"}
_EDGE_COLOURS = LinearSegmentedColormap.from_list("edges", ["#e3e6e9", "#101418"])
_MANY_EDGES = 500
_LEVELS = 32
_LEGEND_COEFFICIENTS = (0.05, 0.25, 1.0)


def draw_svr(graphs: Mapping[str, SvrGraph], *, columns: int | None = None, logarithmic: bool = False) -> Figure:
    """A panel for each graph by its title, all on one axis of singular values (`svr`, Figures 2, 5, 12, 13).

    Layers go from left to right, behind all that feed them. The colour of a vertex tells the kind of its layer, the
    strength its intensity (1 throughout in a layer that feeds none); the grey and width of an edge its coefficient,
    with black for 1. By default panels stand below each other where networks are deep, else up to three in a row.

    Raises ``ValueError`` where there is no graph, or edges are of another representation than the layers.
    """
    if not graphs:
        raise ValueError("there are no graphs; expected at least one, by its title")
    for title, graph in graphs.items():
        check_edges(graph, title)
    deepest = max(len(graph.layers) for graph in graphs.values())
    if columns is None:
        columns = 1 if deepest > 8 else min(len(graphs), 2 if len(graphs) in (2, 4) else 3)
    rows = -(-len(graphs) // columns)
    width, height = {1: (8.4, 3.2), 2: (4.2, 3.1)}.get(columns, (8.4 / columns, 2.5))
    if len(graphs) == 1 and deepest <= 8:
        width = 5.2
    with style():
        size = (width * columns, height * rows + 0.35)
        figure, axes = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False)
        for axis in axes.flat[len(graphs) :]:
            axis.set_axis_off()
        for axis, (title, graph) in zip(axes.flat, graphs.items(), strict=False):
            _draw_panel(axis, graph, radius=_radius(graph, height))
            axis.set_title(title)
        _value_axes(axes, logarithmic)
        _legend(figure, list(graphs.values()))
        plt.close(figure)
    return figure


def _draw_panel(axis: Axes, graph: SvrGraph, radius: float) -> None:
    places = layer_columns(graph)
    _draw_edges(axis, graph, places)
    for layer, place, own in zip(graph.layers, places, graph.intensities, strict=True):
        # The largest singular value last, so that it lies on top.
        values, shares = layer.singular_values.numpy()[::-1], own.numpy()[::-1]
        axis.scatter(
            np.full(len(values), place),
            values,
            s=(2 * radius) ** 2,
            c=KIND_COLOURS[layer.kind](shares),
            edgecolors=_RIMS[layer.kind],
            linewidths=min(0.6, radius / 4),
            zorder=3,
        )
    names = layer_names(graph)
    crowded = max(map(len, names)) * len(names) > 8 * axis.get_figure().get_figwidth()
    axis.set_xticks(places, names, fontsize=7)
    axis.tick_params(axis="x", length=0)
    if crowded:
        plt.setp(axis.get_xticklabels(), rotation=55, ha="right", rotation_mode="anchor")
    axis.set_xlim(min(places) - 0.4, max(places) + 0.4)
    axis.grid(visible=False, axis="x")


def _draw_edges(axis: Axes, graph: SvrGraph, places: Sequence[float]) -> None:
    edges = graph.edges
    # The strongest last, so that the weak ones do not cover them.
    order = edges.coefficient.argsort(stable=True)
    coefficients = edges.coefficient[order].numpy()
    segments = np.empty((len(order), 2, 2))
    for number, connection in enumerate(graph.connections):
        own = (edges.connection[order] == number).numpy()
        for end, (layer, neurons) in enumerate(((connection.earlier, edges.earlier), (connection.later, edges.later))):
            segments[own, end, 0] = places[layer]
            segments[own, end, 1] = graph.layers[layer].singular_values.numpy()[neurons[order].numpy()[own]]
    if len(segments) > _MANY_EDGES:
        segments, coefficients = _in_levels(segments, coefficients)
    axis.add_collection(LineCollection(segments, zorder=2, **_edge_look(coefficients)), autolim=False)


def _in_levels(segments: np.ndarray, coefficients: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The edges as few lines with gaps, one for each of `_LEVELS` looks that the eye cannot tell apart from its own.

    An edge by itself takes 200 bytes of a page, of which a deep network has thousands.
    """
    levels = np.minimum((np.sqrt(coefficients) * _LEVELS).astype(int), _LEVELS - 1)
    gaps = np.concatenate([segments, np.full((len(segments), 1, 2), np.nan)], axis=1)
    there = np.unique(levels)
    return [gaps[levels == one].reshape(-1, 2) for one in there], ((there + 0.5) / _LEVELS) ** 2


def _edge_look(coefficients: np.ndarray) -> dict:
    """The root of a coefficient is a cosine; it spreads the many weak ones over more greys."""
    shares = np.sqrt(coefficients)
    return {"colors": _EDGE_COLOURS(shares), "linewidths": 0.35 + 1.25 * shares}


def _radius(graph: SvrGraph, height: float) -> float:
    """Points: what keeps the vertices of the fullest layer apart, within what can be seen."""
    fullest = max(len(layer.singular_values) for layer in graph.layers)
    return float(np.clip(0.7 * 72 * height / fullest / 1.6, 1.0, 2.6))


def _value_axes(axes: np.ndarray, logarithmic: bool) -> None:
    for line in axes:
        line[0].set_ylabel("singular value")
    if logarithmic:
        axes.flat[0].set_yscale("log")
    else:
        top = axes.flat[0].get_ylim()[1]
        # A little room below 0, so that a vertex there is whole.
        axes.flat[0].set_ylim(-0.02 * top, top)


def _legend(figure: Figure, graphs: Sequence[SvrGraph]) -> None:
    used = {layer.kind for graph in graphs for layer in graph.layers}
    handles = [
        Line2D([], [], marker="o", ls="", color=colours(0.9), markeredgecolor=_RIMS[kind], label=_KIND_NAMES[kind])
        for kind, colours in KIND_COLOURS.items()
        if kind in used
    ]
    for coefficient in _LEGEND_COEFFICIENTS:
        look = _edge_look(np.array([coefficient]))
        look = {"color": look["colors"][0], "linewidth": look["linewidths"][0]}
        handles.append(Line2D([], [], label=f"coefficient {coefficient:g}", **look))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
