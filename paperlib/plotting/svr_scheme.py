"""What the SVR is, as a diagram: a network's matrices taken apart, and the graph of the parts (`svr`, Figure 1)."""

from collections.abc import Sequence
from itertools import pairwise, product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from paperlib.plotting.style import style
from paperlib.plotting.svr import KIND_COLOURS

_LARGEST_LAYERS = 6
# Circles that stand for a column of more.
_SHOWN = 6
_NETWORK, _GRAPH = 2.55, 0.45
_HEIGHT = 1.2
_STRONG, _PALE = (KIND_COLOURS["fully_connected"](share) for share in (0.95, 0.15))


def draw_svr_scheme(widths: Sequence[int]) -> Figure:
    """Neurons, spectral neurons and the graph of a fully connected network with these ``widths``, the input's first.

    Above, each matrix is three: what ``V`` reads, the scale ``S`` of each spectral neuron, and what ``U`` writes, with
    their shapes; activations stand on the neurons behind. Below, the spectral neurons alone, by singular value, and
    the adjacency of each two layers with its shape. Columns show a few of their circles; widths are written above.

    Raises ``ValueError`` unless there are three to seven positive widths.
    """
    if not 3 <= len(widths) <= _LARGEST_LAYERS + 1 or min(widths) < 1:
        raise ValueError(f"widths are {list(widths)}; expected three to seven positive numbers, the input's first")
    ranks = [min(pair) for pair in pairwise(widths)]
    with style():
        figure, axis = plt.subplots(figsize=(8.4, 4.3))
        _network(axis, widths, ranks)
        _graph(axis, ranks)
        axis.set(xlim=(-0.75, 2 * len(ranks) + 0.5), ylim=(-0.2, 4.45))
        axis.set_axis_off()
        plt.close(figure)
    return figure


def _network(axis: Axes, widths: Sequence[int], ranks: Sequence[int]) -> None:
    columns = [_places(_NETWORK, count) for pair in zip(widths, [*ranks, 0], strict=True) for count in pair if count]
    for x, (before, after) in enumerate(pairwise(columns)):
        _fan(axis, x, before, x + 1, after, "0.85")
    for layer, width in enumerate(widths):
        x = 2 * layer
        _circles(axis, x, columns[x], "white")
        last = layer == len(widths) - 1
        name = "inputs" if layer == 0 else "outputs" if last else "neurons"
        _words(axis, x, _NETWORK + _HEIGHT + 0.12, f"{width}\n{name}", va="bottom")
        if 0 < layer and not last:
            box = {"boxstyle": "round,pad=0.2", "facecolor": "0.93", "edgecolor": "0.5"}
            axis.text(x, _NETWORK - 0.2, r"$\psi$", ha="center", va="center", fontsize=10, bbox=box)
    for layer, rank in enumerate(ranks):
        x = 2 * layer + 1
        _circles(axis, x, columns[x], _STRONG, shrinking=True)
        _words(axis, x, _NETWORK + _HEIGHT + 0.12, f"{rank}\nspectral\nneurons", va="bottom", color=_STRONG)
        before, after = widths[layer], widths[layer + 1]
        _words(axis, x - 0.5, _NETWORK - 0.08, f"$V_{{{layer}}}^T$\n{rank}×{before}")
        _words(axis, x, _NETWORK - 0.08, f"$S_{{{layer}}}$", color=_STRONG)
        _words(axis, x + 0.5, _NETWORK - 0.08, f"$U_{{{layer}}}$\n{after}×{rank}")


def _graph(axis: Axes, ranks: Sequence[int]) -> None:
    # Many small singular values below a few large ones.
    columns = [_GRAPH + (_places(_GRAPH, rank) - _GRAPH) ** 1.6 * _HEIGHT**-0.6 for rank in ranks]
    for layer, (before, after) in enumerate(pairwise(columns)):
        x = 2 * layer + 1
        _fan(axis, x, before, x + 2, after, "0.8")
        # As training makes it: the leading spectral neurons fit, in order.
        leading = zip(before[:2], after[:2], strict=False)
        _edges(axis, [((x, one), (x + 2, other)) for one, other in leading], "0.1", 1.6)
        later, earlier = layer + 1, layer
        _words(axis, x + 1, _GRAPH - 0.1, f"$|V_{{{later}}}^T U_{{{earlier}}}|^2$\n{ranks[later]}×{ranks[earlier]}")
    for layer, column in enumerate(columns):
        x = 2 * layer + 1
        axis.plot([x, x], [_GRAPH + _HEIGHT + 0.12, _NETWORK - 0.4], linestyle=":", color=_STRONG, linewidth=0.9)
        _circles(axis, x, column, [_STRONG] * 2 + [_PALE] * (len(column) - 2))
        _words(axis, x, _GRAPH - 0.1, f"layer {layer}", color=_STRONG)
    arrow = {"arrowstyle": "->", "color": "0.35"}
    axis.annotate("", (0.45, _GRAPH + _HEIGHT), (0.45, _GRAPH), arrowprops=arrow)
    axis.text(0.33, _GRAPH + _HEIGHT / 2, "singular value", rotation=90, ha="right", va="center", fontsize=8)


def _places(bottom: float, count: int) -> np.ndarray:
    """Heights of the circles of a column, from the top down; all of them where they are few."""
    shown = min(count, _SHOWN)
    return np.linspace(bottom + _HEIGHT, bottom + 0.08, shown) if shown > 1 else np.array([bottom + _HEIGHT / 2])


def _circles(axis: Axes, x: float, heights: np.ndarray, colours, shrinking: bool = False) -> None:
    sizes = 62 * np.linspace(1, 0.25 if shrinking else 1, len(heights))
    axis.scatter(np.full(len(heights), x), heights, s=sizes, color=colours, edgecolors="0.25", linewidths=0.7, zorder=3)


def _fan(axis: Axes, x0: float, before: np.ndarray, x1: float, after: np.ndarray, colour: str) -> None:
    _edges(axis, [((x0, one), (x1, other)) for one, other in product(before, after)], colour, 0.5)


def _edges(axis: Axes, segments: list, colour: str, width: float) -> None:
    axis.add_collection(LineCollection(segments, colors=colour, linewidths=width, zorder=1 + width / 4))


def _words(axis: Axes, x: float, y: float, words: str, va: str = "top", color="0.15") -> None:
    axis.text(x, y, words, ha="center", va=va, fontsize=8, color=color, linespacing=1.15)
