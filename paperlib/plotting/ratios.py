"""Figures of `generalizability`: accuracy by rank, box plots of the projection ratios, training history."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import BASELINE, DIGIT_COLOURS, NETWORK_COLOURS, style
from paperlib.summaries import Box, RankAccuracy
from paperlib.training import Moment


def draw_rank_accuracy(panels: Mapping[str, RankAccuracy], emphasised: Sequence[int] = ()) -> Figure:
    """Accuracy of the rank-k CNN against k, a curve for each digit and a panel for each network (Figure 1).

    Diamonds at the right are the full network's accuracies; the dashed line is the chance of guessing one of the
    classes. Digits in ``emphasised`` have bold lines.
    """
    with style():
        figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 3.8), sharey=True, squeeze=False)
        for axis, (title, accuracy) in zip(axes[0], panels.items(), strict=True):
            _draw_accuracies(axis, accuracy, emphasised)
            axis.set_title(title)
        axes[0][0].set_ylabel("accuracy on test images of the digit")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", title="digit")
        plt.close(figure)
    return figure


def _draw_accuracies(axis: Axes, accuracy: RankAccuracy, emphasised: Sequence[int]) -> None:
    k_max = len(accuracy.overall)
    ranks = range(1, k_max + 1)
    for label, curve in enumerate(accuracy.by_class):
        strong = label in emphasised
        width = 2.4 if strong else 1.2
        colour = DIGIT_COLOURS[label]
        axis.plot(ranks, curve, color=colour, linewidth=width, marker="o", markersize=3, label=str(label))
        axis.plot([k_max + 0.8], [accuracy.full_by_class[label]], "D", color=colour, markersize=4, clip_on=False)
    axis.axhline(1 / len(accuracy.by_class), **BASELINE, label="chance")
    axis.set_xticks([*ranks, k_max + 0.8], [*map(str, ranks), "full"])
    axis.set_xlabel("rank k of the truncated network")
    axis.set_ylim(-0.02, 1.02)


def draw_ratio_boxes(
    networks: Mapping[str, Mapping[int, Sequence[Box]]],
    *,
    name: str,
    baseline_dimension: int,
    emphasised: Sequence[int] = (),
) -> Figure:
    """Box plots of a projection ratio by digit: a row for each network, a column for each rank (Figures 2 and 3).

    ``networks[title][rank]`` holds one box for each digit. The dashed line at ``rank / baseline_dimension`` is the
    mean ratio under a uniformly random subspace of that rank. Digits in ``emphasised`` have filled dark boxes.
    """
    ranks = sorted(next(iter(networks.values())))
    with style():
        size = (1.75 * len(ranks) + 0.4, 2.3 * len(networks) + 0.4)
        figure, axes = plt.subplots(len(networks), len(ranks), figsize=size, sharex=True, sharey=True, squeeze=False)
        for row, (title, by_rank) in zip(axes, networks.items(), strict=True):
            for axis, rank in zip(row, ranks, strict=True):
                _draw_boxes(axis, by_rank[rank], emphasised)
                axis.axhline(rank / baseline_dimension, **BASELINE)
                axis.set_title(f"{title}, k = {rank}", fontsize=9)
            row[0].set_ylabel(name)
        for axis in axes[-1]:
            axis.set_xlabel("digit")
        plt.close(figure)
    return figure


def _draw_boxes(axis: Axes, boxes: Sequence[Box], emphasised: Sequence[int]) -> None:
    statistics = [
        {
            "whislo": box.low,
            "q1": box.lower_quartile,
            "med": box.median,
            "q3": box.upper_quartile,
            "whishi": box.high,
        }
        for box in boxes
    ]
    places = range(len(boxes))
    look = {"widths": 0.65, "showfliers": False, "patch_artist": True, "medianprops": {"color": "black"}}
    # The panels share their axis, on which each call would put its own ticks above the others'.
    drawn = axis.bxp(statistics, positions=places, manage_ticks=False, **look)
    axis.set_xticks(places, [str(label) for label in places])
    for label, patch in enumerate(drawn["boxes"]):
        patch.set_facecolor(DIGIT_COLOURS[label])
        patch.set_alpha(1.0 if label in emphasised else 0.45)
    axis.set_ylim(0, 1.02)
    axis.tick_params(labelsize=7)
    axis.grid(axis="x", visible=False)


def draw_training_history(histories: Mapping[str, Sequence[Moment]], batches: Mapping[str, int]) -> Figure:
    """Training loss and test accuracy against the mini-batch, from the first steps on, a curve for each network.

    ``batches`` gives the number of mini-batches of an epoch, marked by a dotted line: the step axis is logarithmic,
    because most of what a network learns it learns in its first hundred steps.
    """
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.2))
        for (title, history), colour in zip(histories.items(), cycle(NETWORK_COLOURS), strict=False):
            steps = [moment.step + 1 for moment in history]
            left.plot(steps, [moment.loss for moment in history], color=colour, marker="o", markersize=2.5, label=title)
            right.plot(steps, [moment.test_accuracy for moment in history], color=colour, marker="o", markersize=2.5)
            for axis in (left, right):
                axis.axvline(batches[title] + 1, color=colour, linestyle=":", linewidth=1)
        left.set(xscale="log", yscale="log", ylabel="cross-entropy on training images")
        right.set(xscale="log", ylabel="accuracy on test images", ylim=(0, 1.02))
        for axis in (left, right):
            axis.set_xlabel("mini-batches seen, plus 1")
        left.legend(loc="lower left")
        plt.close(figure)
    return figure
