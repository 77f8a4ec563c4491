"""Dice against RPR under many conditions, as small multiples."""

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from paperlib.plotting.style import FOLD_COLOURS, FOLD_MARKS, style
from paperlib.segmentation.condition_study import ConditionResult

_COLUMNS = 4
_LETTERS = 26


def draw_condition_panels(results: Sequence[ConditionResult]) -> Figure:
    """A panel for each condition with a point for each volume; colours and marks tell the folds apart."""
    columns = min(_COLUMNS, len(results))
    rows = -(-len(results) // columns)
    with style():
        figure, axes = plt.subplots(rows, columns, figsize=(2.1 * columns, 2.15 * rows + 0.3), squeeze=False)
        for axis in axes.flat[len(results) :]:
            axis.set_axis_off()
        for axis, result in zip(axes.flat, results, strict=False):
            folds, ratio, dice = (np.array(values) for values in (result.folds, result.ratio, result.dice))
            for place, fold in enumerate(np.unique(folds)):
                look = {"color": FOLD_COLOURS[place % len(FOLD_COLOURS)], "marker": FOLD_MARKS[place % len(FOLD_MARKS)]}
                axis.scatter(ratio[folds == fold], dice[folds == fold], s=9, alpha=0.8, linewidths=0, **look)
            title = textwrap.fill(result.condition.name, _LETTERS)
            axis.set_title(f"{title}\nρ = {result.prediction.correlation.value:+.2f}", fontsize=8)
            axis.tick_params(labelsize=7)
            axis.locator_params(nbins=4)
        figure.supxlabel("right projection ratio", fontsize=9)
        figure.supylabel("Dice", fontsize=9)
        plt.close(figure)
    return figure
