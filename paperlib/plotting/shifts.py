"""Scans under shifts of the acquisition, and what these do to Dice and to the numbers that need no label."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.images import bare
from paperlib.plotting.style import BASELINE, DIGIT_COLOURS, NETWORK_COLOURS, style
from paperlib.segmentation.shift_effects import ShiftStudy
from paperlib.segmentation.shifts import Shift

# A mean with the ends of its interval: "mean", "low", "high".
Point = Mapping[str, float]

_ROWS = {"dice": "change of Dice", "rpr": "change of RPR", "entropy": "change of entropy"}
_COLUMNS = 4
# Told apart by readers who do not see all colours, and in print.
_KIND_COLOURS = DIGIT_COLOURS
_KIND_MARKS = "os^Dv*PX<>"


def draw_shift_examples(slices: Mapping[str, tuple[Tensor, Tensor]]) -> Figure:
    """Slices ``(height, width)`` by title, each with a mask of the same shape whose outline is drawn on it.

    All have the grey scale of the first, from its 1st to its 99th percentile.
    """
    first, _ = next(iter(slices.values()))
    low, high = np.percentile(first.numpy(), (1, 99))
    rows = -(-len(slices) // _COLUMNS)
    with style():
        figure, axes = plt.subplots(rows, _COLUMNS, figsize=(1.9 * _COLUMNS, 2.1 * rows), squeeze=False)
        for axis in axes.flat[len(slices) :]:
            axis.set_axis_off()
        for axis, (title, (image, mask)) in zip(axes.flat, slices.items(), strict=False):
            axis.imshow(image.T.numpy(), cmap="gray", vmin=low, vmax=high, origin="lower")
            if 0 < int(mask.sum()) < mask.numel():
                axis.contour(mask.T.numpy() > 0, levels=[0.5], colors="#ff8c1a", linewidths=1.3)
            bare(axis, title)
        plt.close(figure)
    return figure


def draw_shift_changes(study: ShiftStudy) -> Figure:
    """Mean changes of Dice, RPR and entropy against the level, a column for each kind; 0 is the unshifted volume."""
    nothing = dict.fromkeys(("mean", "low", "high"), 0.0)
    curves: dict[str, dict[float, dict]] = {}
    for effect in study.effects:
        neutral = Shift(effect.kind, effect.level).neutral
        levels = curves.setdefault(effect.kind, {neutral: dict.fromkeys(_ROWS, nothing)})
        changes = {name: getattr(effect, f"{name}_change") for name in _ROWS}
        levels[effect.level] = {
            name: {"mean": found.value, "low": found.low, "high": found.high} for name, found in changes.items()
        }
    return draw_shift_curves(curves, _ROWS)


def draw_shift_curves(
    shifts: Mapping[str, Mapping[float, Mapping[str, Point]]], quantities: Mapping[str, str] | None = None
) -> Figure:
    """Means against the level of a shift: a column for each kind of shift, a row for each of ``quantities``.

    ``shifts[kind][level][quantity]`` is a point with its interval. ``quantities`` names the rows, by default
    ``{"dice": "mean Dice", "rpr": "mean RPR"}``. The first level of each kind is the volumes as they are, whose means
    are dashed.
    """
    quantities = quantities or {"dice": "mean Dice", "rpr": "mean RPR"}
    with style():
        size = (max(4.2, min(8.4, 2.1 * len(shifts) + 0.6)), 2.0 * len(quantities) + 0.5)
        figure, axes = plt.subplots(
            len(quantities), len(shifts), figsize=size, sharex="col", sharey="row", squeeze=False
        )
        for column, (kind, levels) in zip(axes.T, shifts.items(), strict=True):
            for axis, quantity, colour in zip(column, quantities, NETWORK_COLOURS, strict=False):
                _shift(axis, {float(level): found[quantity] for level, found in levels.items()}, colour)
            column[0].set_title(kind, fontsize=9)
            column[-1].set_xlabel("level")
        for row, title in zip(axes, quantities.values(), strict=True):
            row[0].set_ylabel(title)
        plt.close(figure)
    return figure


def _shift(axis: Axes, levels: Mapping[float, Point], colour: str) -> None:
    axis.axhline(next(iter(levels.values()))["mean"], **BASELINE)
    places = sorted(levels)
    means, low, high = (np.array([levels[place][name] for place in places]) for name in ("mean", "low", "high"))
    axis.errorbar(places, means, [means - low, high - means], color=colour, marker="o", markersize=4, capsize=2)
    # Narrow panels have room for two numbers.
    axis.set_xticks([places[0], places[-1]], [f"{place:g}" for place in (places[0], places[-1])])


def draw_paired_changes(
    kinds: Sequence[str], changes: Mapping[str, Sequence[Sequence[float]]], titles: Mapping[str, str]
) -> Figure:
    """A point for each volume and shift, marked by kind: the change of Dice against that of each of ``titles``.

    ``kinds[s]`` is the kind of shift s, and ``changes[name][s]`` the changes that it makes to the volumes, with
    ``name`` ``"dice"`` or one of ``titles``.
    """
    looks = dict(zip(dict.fromkeys(kinds), zip(_KIND_COLOURS, _KIND_MARKS, strict=True), strict=False))
    with style():
        figure, axes = plt.subplots(1, len(titles), figsize=(4.1 * len(titles), 3.6), sharey=True, squeeze=False)
        for axis, (name, title) in zip(axes[0], titles.items(), strict=True):
            axis.axhline(0, **BASELINE)
            axis.axvline(0, **BASELINE)
            for kind, (colour, mark) in looks.items():
                rows = [row for row, other in enumerate(kinds) if other == kind]
                x, y = (np.concatenate([changes[column][row] for row in rows]) for column in (name, "dice"))
                axis.plot(x, y, mark, color=colour, markersize=4, alpha=0.7, markeredgewidth=0, label=kind)
            axis.set_xlabel(title)
        axes[0, 0].set_ylabel("change of Dice")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
        plt.close(figure)
    return figure
