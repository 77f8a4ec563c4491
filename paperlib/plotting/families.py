"""Families of networks: their accuracies, and the capacity metric against them."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from paperlib.convsvd.trends import Trend
from paperlib.plotting.style import NETWORK_COLOURS, style

_MARKS = "os^Dv"


def draw_family_accuracies(families: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Test accuracy in [0, 1] against the number of parameters, ``families[name]`` being pairs of the two."""
    with style():
        figure, axis = plt.subplots(figsize=(6.0, 3.6))
        for place, (name, points) in enumerate(families.items()):
            colour, mark = NETWORK_COLOURS[place % len(NETWORK_COLOURS)], _MARKS[place % len(_MARKS)]
            axis.plot(*zip(*points, strict=True), f"-{mark}", color=colour, markersize=4.5, linewidth=1.2, label=name)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_xlabel("parameters")
        axis.set_ylabel("test accuracy")
        axis.legend()
        plt.close(figure)
    return figure


def draw_capacity(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float], Trend]]], *, columns: int = 2
) -> Figure:
    """Accuracy against alpha-hat, a panel for each matrization and a colour for each family (`convsvd`, Figure 4).

    ``panels[matrization][family]`` are alpha-hats, accuracies in [0, 1] and their trend, drawn with the 95 % interval
    of its line. The horizontal axes of the panels are their own: the matrizations have scales of their own.
    """
    rows = -(-len(panels) // columns)
    with style():
        figure, axes = plt.subplots(rows, columns, figsize=(8.4, 3.2 * rows + 0.6), sharey=True, squeeze=False)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis, (title, families) in zip(axes.flat, panels.items(), strict=False):
            for place, (family, (x, y, found)) in enumerate(families.items()):
                _family(axis, place, family, np.asarray(x), np.asarray(y), found)
            axis.set_title(title)
            axis.set_xlabel(r"$\hat\alpha$")
        everything = [y for families in panels.values() for _, ys, _ in families.values() for y in ys]
        margin = 0.12 * (max(everything) - min(everything))
        axes[0, 0].set_ylim(min(everything) - margin, max(everything) + margin)
        for axis in axes[:, 0]:
            axis.set_ylabel("test accuracy")
            axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        plt.close(figure)
    return figure


def _family(axis: Axes, place: int, label: str, x: np.ndarray, y: np.ndarray, found: Trend) -> None:
    colour = NETWORK_COLOURS[place % len(NETWORK_COLOURS)]
    ends = np.linspace(x.min(), x.max(), 60)
    middle, low, high = found.line(ends)
    axis.fill_between(ends, low, high, color=colour, alpha=0.1, linewidth=0)
    axis.plot(ends, middle, color=colour, linewidth=1.4)
    axis.plot(x, y, _MARKS[place % len(_MARKS)], color=colour, markersize=5, label=label)


def draw_conventions(correlations: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """Correlation of accuracy with alpha-hat: a panel for each family, conventions by matrizations.

    ``correlations[family][convention][matrization]`` in [-1, 1]; blue is negative, as the paper says that it is.
    """
    families = list(correlations)
    conventions = list(correlations[families[0]])
    matrizations = list(correlations[families[0]][conventions[0]])
    with style():
        size = (8.4, 0.34 * len(conventions) + 1.4)
        figure, axes = plt.subplots(1, len(families), figsize=size, sharey=True, squeeze=False)
        for axis, family in zip(axes[0], families, strict=True):
            values = np.array([[correlations[family][row][name] for name in matrizations] for row in conventions])
            image = axis.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
            for (row, column), value in np.ndenumerate(values):
                dark = abs(value) > 0.6
                text = f"{value:.2f}".replace("-", "−")
                axis.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if dark else "black")
            axis.set_xticks(range(len(matrizations)), matrizations, fontsize=7.5, rotation=40)
            axis.set_title(family)
            axis.grid(False)
        axes[0, 0].set_yticks(range(len(conventions)), [name.replace("_", " ") for name in conventions], fontsize=8)
        figure.colorbar(image, ax=axes[0], shrink=0.8, label="correlation", pad=0.01)
        plt.close(figure)
    return figure
