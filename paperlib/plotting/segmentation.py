"""How segmentation networks were trained, and what they make of single volumes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.plotting.images import bare
from paperlib.plotting.style import FOLD_COLOURS, FOLD_MARKS, legend_columns, style
from paperlib.segmentation.examples import VolumeExample
from paperlib.segmentation.recipe import SegmentationMoment

# Bright enough for a dark scan, dark enough for a bright one, and apart for the colour-blind.
_LOOKS = {"label": ("#4fc3f7", "solid"), "prediction": ("#ff8c1a", (0, (2.5, 1.2)))}
# The axis that a plane cuts, and the two that it shows.
_PLANES = {"x–y": 2, "x–z": 1, "y–z": 0}


def draw_segmentation_history(histories: Mapping[str, Sequence[SegmentationMoment]]) -> Figure:
    """Training loss and mean validation Dice against the epoch, a line for each network; the best epoch is marked.

    The best is that of the highest validation Dice, the first of several, whose weights were kept. The axes leave out
    the first steps: the highest tenth of the losses and the lowest tenth of the Dice, but no best epoch.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.2))
        kept = [max(history, key=lambda moment: moment.validation_dice) for history in histories.values()]
        for place, ((name, history), best) in enumerate(zip(histories.items(), kept, strict=True)):
            colour, mark = FOLD_COLOURS[place % len(FOLD_COLOURS)], FOLD_MARKS[place % len(FOLD_MARKS)]
            epochs = [moment.epoch for moment in history]
            look = {"color": colour, "linewidth": 1.1}
            left.plot(epochs, [moment.loss for moment in history], **look)
            right.plot(epochs, [moment.validation_dice for moment in history], **look)
            for axis, value in ((left, best.loss), (right, best.validation_dice)):
                label = f"{name}: epoch {best.epoch}, {best.validation_dice:.3f}" if axis is right else None
                axis.plot([best.epoch], [value], mark, color=colour, markersize=6, markeredgecolor="white", label=label)
        losses = [moment.loss for history in histories.values() for moment in history]
        values = [moment.validation_dice for history in histories.values() for moment in history]
        _frame(left, min(losses), max(np.quantile(losses, 0.9), *(best.loss for best in kept)))
        _frame(right, min(np.quantile(values, 0.1), *(best.validation_dice for best in kept)), max(values))
        left.set(xlabel="epoch", ylabel="training loss (relaxed Dice)")
        right.set(xlabel="epoch", ylabel="mean validation Dice")
        handles, labels = right.get_legend_handles_labels()
        columns = legend_columns(labels, 8.0)
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, title="best epoch and its Dice")
        plt.close(figure)
    return figure


def _frame(axis: Axes, low: float, high: float) -> None:
    # Values may all be equal.
    margin = 0.08 * (high - low) or 0.01
    axis.set_ylim(low - margin, high + margin)


def draw_volume_examples(examples: Sequence[VolumeExample]) -> Figure:
    """A row for each volume: three planes through the middle of its label, with the outlines of label and prediction.

    Where the label is empty the planes go through the middle of the prediction, else of the volume. Each volume has a
    grey scale of its own, from its 1st to its 99th percentile.
    """
    with style():
        size = (7.6, 1.85 * len(examples) + 0.75)
        figure, axes = plt.subplots(len(examples), 4, figsize=size, squeeze=False, width_ratios=(0.95, 1, 1, 1))
        for place, (row, example) in enumerate(zip(axes, examples, strict=True)):
            row[0].set_axis_off()
            text = f"{example.name}\nDice {example.dice:.3f}"
            row[0].text(0, 0.72, example.heading, weight="bold", va="bottom", transform=row[0].transAxes)
            row[0].text(0, 0.66, text, va="top", linespacing=1.4, transform=row[0].transAxes)
            for axis, (plane, cut) in zip(row[1:], _PLANES.items(), strict=True):
                _plane(axis, example, cut)
                bare(axis, f"{plane} plane" if place == 0 else "")
        lines = [Line2D([], [], color=colour, linestyle=dashes, linewidth=2) for colour, dashes in _LOOKS.values()]
        figure.legend(lines, list(_LOOKS), loc="outside lower center", ncols=2)
        plt.close(figure)
    return figure


def _plane(axis: Axes, example: VolumeExample, cut: int) -> None:
    place = _middle(example)[cut]
    low, high = np.quantile(example.image.numpy(), [0.01, 0.99])
    # The first axis of a plane to the right and the second upwards, as scans are shown.
    slices = [volume.select(cut, place).T for volume in (example.image, example.label, example.prediction)]
    image, label, prediction = (part.numpy() for part in slices)
    axis.imshow(image, cmap="gray", origin="lower", vmin=low, vmax=high)
    for mask, (colour, dashes) in zip((label, prediction), _LOOKS.values(), strict=True):
        if mask.any() and not mask.all():
            axis.contour(mask > 0, levels=[0.5], colors=colour, linestyles=[dashes], linewidths=1.5)


def _middle(example: VolumeExample) -> list[int]:
    for mask in (example.label, example.prediction):
        if mask.any():
            return [int(places.float().mean().round()) for places in mask.nonzero(as_tuple=True)]
    return [side // 2 for side in example.image.shape]
