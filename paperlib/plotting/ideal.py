"""Figures of ideal inputs: the images, their way to the ideal output, and how it depends on the learning rate."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from paperlib.plotting.style import BASELINE, style

COLOURS = ("#1f6f8b", "#c8553d", "#6a8d3a", "0.45")
MARKERS = ("o", "s", "^", "D")


def draw_ideal_inputs(
    rows: Mapping[str, Any],
    limits: tuple[float, float] | None = (0.0, 1.0),
) -> Figure:
    """A row of images ``(height, width)`` for each network, with algorithm and distance under each (Figure 3).

    ``rows[title]`` is a `paperlib.vectorspaces.figure_three.InputRow`. ``limits`` are the values drawn
    black and white in all images, or None for each image's own; an asterisk marks an image with values that lie more
    than one of 255 grey levels outside.
    """
    columns = max(len(row.images) for row in rows.values())
    with style():
        figure, axes = plt.subplots(
            len(rows), columns, figsize=(0.98 * columns + 0.3, 1.55 * len(rows) + 0.2), squeeze=False
        )
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.03, wspace=0.01)
        for line, (title, row) in zip(axes, rows.items(), strict=True):
            for axis, image, name, distance in zip(line, row.images, row.names, row.distances, strict=True):
                _draw_input(axis, image, name, distance, limits)
            line[0].set_ylabel(title)
        for digit, axis in enumerate(axes[0]):
            axis.set_title(str(digit))
        plt.close(figure)
    return figure


def _draw_input(axis: Axes, image: Tensor, name: str, distance: float, limits: tuple[float, float] | None) -> None:
    low, high = limits or (None, None)
    axis.imshow(image.numpy(), cmap="gray", vmin=low, vmax=high)
    start, _, training = name.partition("+")
    level = (high - low) / 255 if limits else 0
    outside = limits is not None and (float(image.min()) < low - level or float(image.max()) > high + level)
    second = f"+{training}" if training else ""
    axis.set_xlabel(f"{start}\n{second}\n{distance:#.3g}{'*' if outside else ''}", fontsize=7.5, linespacing=1.15)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(visible=False)


def draw_distance_curves(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Distance to the ideal output relative to that of the start, against the step.

    A panel for each network and in it a line for each start; all panels have one scale.
    """
    with style():
        figure, axes = plt.subplots(1, len(panels), figsize=(2.9 * len(panels), 2.9), sharey=True, squeeze=False)
        for axis, (title, curves) in zip(axes[0], panels.items(), strict=True):
            for (name, curve), colour, marker in zip(curves.items(), COLOURS, MARKERS, strict=False):
                every = max(1, len(curve) // 5)
                axis.plot(curve, color=colour, marker=marker, markevery=every, markersize=4, label=name)
            axis.set(title=title, xlabel="step")
            axis.yaxis.set_major_formatter(PercentFormatter(1))
        axes[0][0].set_ylabel("distance, relative to the start")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        plt.close(figure)
    return figure


def draw_drop_by_rate(networks: Mapping[str, Mapping[float, float | None]], used: float) -> Figure:
    """Mean relative drop of the distance against the learning rate of the input, a line for each network.

    The dotted line marks the rate ``used`` elsewhere; a cross at the lower edge one at which the images were thrown
    away: they end more than twice as far as they began, or a loss was no longer finite (None).
    """
    with style():
        figure, axis = plt.subplots(figsize=(6.4, 3.2))
        for (title, drops), colour, marker in zip(networks.items(), COLOURS, MARKERS, strict=False):
            kept = {rate: drop for rate, drop in drops.items() if drop is not None and drop >= -1}
            axis.plot(list(kept), list(kept.values()), color=colour, marker=marker, markersize=5, label=title)
            lost = [rate for rate in drops if rate not in kept]
            axis.plot(lost, [0.04] * len(lost), "x", color=colour, transform=axis.get_xaxis_transform())
        axis.axhline(0, **BASELINE)
        axis.axvline(used, color="0.35", linestyle=":", linewidth=1)
        axis.set(xscale="log", xlabel="learning rate of the input", ylabel="mean drop of the distance")
        axis.yaxis.set_major_formatter(PercentFormatter(1))
        # Room for the crosses below the lines.
        axis.margins(y=0.12)
        figure.legend(loc="outside right center")
        plt.close(figure)
    return figure
