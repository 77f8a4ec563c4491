"""Figures of a table of projection ratios: sorted, as a histogram, as they grow with k, and the extreme images."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.images import bare
from paperlib.plotting.style import style
from paperlib.ratios.table import RatioRow, RatioTable

_LOWEST_COLOURS = ("#c8553d", "#b08900", "#6a4c93", "#2d7d46", "#111111")
_OTHERS = "#1f6f8b"
_LONGEST_NAME = 30


def draw_ratio_table(table: RatioTable, *, lowest: int = 5) -> Figure:
    """RPR of each image sorted, their histogram beside it, and RPR against k with a thin line for each image.

    The ``lowest`` (at most 5) images are named and have their colours in both panels; images without a ratio are not
    drawn, and the title counts them. Raises ``ValueError`` for a table without a ratio.
    """
    rows = _measured(table)
    marked = rows[: min(lowest, len(_LOWEST_COLOURS))]
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.7), width_ratios=(3, 0.8, 3), sharey=True)
        _draw_sorted(axes[0], rows, marked, table.k)
        _draw_histogram(axes[1], rows)
        _draw_growth(axes[2], rows, marked, table.k)
        top = max(row.ratio for row in rows)
        axes[0].set_ylim(0, min(1.02, 1.06 * top) if top > 0 else 1.02)
        missing = f", {len(table.failed)} more failed" if table.failed else ""
        axes[0].set_title(f"{len(rows)} image{'s' * (len(rows) != 1)}{missing}", loc="left")
        # Names may hold dollar signs and underscores, which are no mathematics.
        handles, names = axes[2].get_legend_handles_labels()
        legend = figure.legend(handles, names, loc="outside lower center", ncols=2, title="lowest first", fontsize=8)
        for text in legend.get_texts():
            text.set_parse_math(False)
        plt.close(figure)
    return figure


def draw_extremes(table: RatioTable, images: Mapping[str, Tensor], *, count: int = 6) -> Figure:
    """The images of the ``count`` lowest ratios above those of the highest.

    ``images`` gives by name the images ``(channels, height, width)`` of one channel (grey) or three (RGB), of which
    each is drawn from its smallest to its largest value. Raises ``KeyError`` for a name that is missing, and
    ``ValueError`` for a table without a ratio.
    """
    rows = _measured(table)
    # No image in both rows, unless there is only one.
    count = min(count, max(1, len(rows) // 2))
    chosen = [*rows[:count], *rows[-count:]]
    pictures = [_stretched(images[row.name]) for row in chosen]
    with style():
        figure, axes = plt.subplots(2, count, figsize=(1.35 * count, 3.5), squeeze=False)
        for axis, row, picture in zip(axes.flat, chosen, pictures, strict=True):
            axis.imshow(picture, cmap="gray")
            bare(axis, "")
            axis.set_title(f"{_short(row.name, 16)}\n{row.ratio:.3f}", fontsize=8, parse_math=False)
        axes[0][0].set_ylabel("lowest")
        axes[1][0].set_ylabel("highest")
        plt.close(figure)
    return figure


def _measured(table: RatioTable) -> tuple[RatioRow, ...]:
    if not table.measured:
        raise ValueError("no image of the table has a ratio, so there is nothing to draw; see the notes of its rows")
    return table.measured


def _stretched(image: Tensor) -> np.ndarray:
    image = image - image.min()
    return (image / image.max().clamp_min(torch.finfo(image.dtype).tiny)).movedim(0, -1).squeeze(-1).numpy()


def _draw_sorted(axis: Axes, rows: tuple[RatioRow, ...], marked: tuple[RatioRow, ...], k: int) -> None:
    places = np.arange(1, len(rows) + 1)
    size = float(np.clip(1500 / len(rows), 3, 25))
    axis.scatter(places, [row.ratio for row in rows], s=size, color=_OTHERS, linewidths=0, rasterized=len(rows) > 500)
    for place, row, colour in zip(places, marked, _LOWEST_COLOURS, strict=False):
        axis.scatter([place], [row.ratio], s=30, color=colour, zorder=3)
    axis.set_xlabel("images in the order of their ratio")
    axis.set_ylabel(f"right projection ratio, k = {k}")
    axis.set_xlim(0.5 - 0.02 * len(rows), len(rows) * 1.02 + 0.5)
    axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def _draw_histogram(axis: Axes, rows: tuple[RatioRow, ...]) -> None:
    bins = int(np.clip(2 * np.sqrt(len(rows)), 5, 60))
    axis.hist([row.ratio for row in rows], bins=bins, orientation="horizontal", color=_OTHERS, alpha=0.75)
    axis.set_xlabel("images")
    axis.xaxis.get_major_locator().set_params(integer=True, nbins=2)


def _draw_growth(axis: Axes, rows: tuple[RatioRow, ...], marked: tuple[RatioRow, ...], k: int) -> None:
    ranks = np.arange(1, k + 1)
    curves = [np.column_stack([ranks, row.rpr]) for row in rows[len(marked) :]]
    alpha = float(np.clip(40 / max(len(curves), 1), 0.04, 0.5))
    # One collection, as a picture: thousands of paths would make a vector file of megabytes.
    axis.add_collection(LineCollection(curves, colors=_OTHERS, linewidths=0.6, alpha=alpha, rasterized=True))
    for row, colour in zip(marked, _LOWEST_COLOURS, strict=False):
        label = f"{_short(row.name)} ({row.ratio:.3g})"
        axis.plot(ranks, row.rpr, color=colour, linewidth=1.6, marker="o", markersize=3, label=label)
    axis.set_xlim(1 - 0.04 * k, k + 0.04 * k)
    axis.set_xlabel("singular vectors k")
    axis.set_title("as it grows with k", loc="left")
    axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def _short(name: str, longest: int = _LONGEST_NAME) -> str:
    half = (longest - 1) // 2
    name = name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"
    # A leading underscore would hide the line from the legend.
    return f" {name}" if name.startswith("_") else name
