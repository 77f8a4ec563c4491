"""Dice by the number of labelled volumes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

from paperlib.intervals import mean_interval
from paperlib.plotting.style import FOLD_COLOURS, FOLD_MARKS, legend_columns, style


def draw_learning_curves(
    curves: Mapping[str, Mapping[int, Sequence[float]]], *, label: str = "mean test Dice"
) -> Figure:
    """Dice against the number of labelled volumes: a thick line of means for each strategy, a thin one for each run.

    ``curves[strategy][count]`` holds the Dice of the runs, in the same order at each count. Bars are Student's 95 %
    intervals of the mean; a single run has none.
    """
    counts = sorted({count for found in curves.values() for count in found})
    with style():
        figure, axis = plt.subplots(figsize=(6.6, 4.0))
        # Strategies start from the same volumes: side by side, so that none hides another.
        step = 0.05 * min(np.diff(counts), default=1.0) if len(counts) > 1 else 0.0
        for place, (strategy, found) in enumerate(curves.items()):
            colour, mark = FOLD_COLOURS[place % len(FOLD_COLOURS)], FOLD_MARKS[place % len(FOLD_MARKS)]
            at = np.array(list(found)) + step * (place - (len(curves) - 1) / 2)
            for run in zip(*found.values(), strict=True):
                axis.plot(at, run, color=colour, linewidth=0.7, alpha=0.35)
            means, reaches = zip(*map(_mean_and_reach, found.values()), strict=True)
            axis.errorbar(
                at, means, reaches, color=colour, marker=mark, markersize=5, linewidth=2, capsize=3, label=strategy
            )
        axis.set_xticks(counts)
        # Student's bars of a few runs reach where no Dice can be.
        low, high = axis.get_ylim()
        axis.set_ylim(max(low, -0.02), min(high, 1.02))
        axis.set(xlabel="labelled volumes", ylabel=label)
        handles, labels = axis.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=legend_columns(labels, 6.4))
        plt.close(figure)
    return figure


def _mean_and_reach(values: Sequence[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], 0.0
    found = mean_interval(torch.tensor(values, dtype=torch.float64))
    return found.mean, found.high - found.mean
