"""Intensities of scans in their own units and on one scale."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import BASELINE, NETWORK_COLOURS, style
from paperlib.segmentation.intensities import IntensityScale

_KINDS = ((True, "whole numbers up to 255"), (False, "other numbers"))
_SPAN = 100
_MEDIAN = "0.1"


def draw_intensity_scales(scales: Sequence[IntensityScale]) -> Figure:
    """Range and median of each scan, in the order of the medians as stored: as stored, and normalised.

    The axis of the stored values is logarithmic where they are positive and span two powers of ten or more.
    """
    ordered = sorted(scales, key=lambda scale: scale.before[1])
    before, after = np.array([scale.before for scale in ordered]), np.array([scale.after for scale in ordered])
    whole = np.array([scale.eight_bit for scale in ordered])
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.8, 3.4))
        figure.get_layout_engine().set(wspace=0.06)
        _ranges(left, before, whole)
        if before.min() > 0 and before.max() >= _SPAN * before.min():
            left.set_yscale("log")
        left.set(title="as stored", xlabel="scan, by its median as stored", ylabel="intensity [scanner's units]")
        _ranges(right, after, whole)
        right.axhline(0, **BASELINE)
        right.set(title="normalised", xlabel="scan, by its median as stored", ylabel="intensity [deviations]")
        if 0 < whole.sum() < len(whole):
            legend = figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
            for handle in legend.legend_handles:
                handle.set_linewidth(4)
        plt.close(figure)
    return figure


def _ranges(axis: Axes, percentiles: np.ndarray, whole: np.ndarray) -> None:
    places = np.arange(len(percentiles)) + 1
    # Thin enough that the scans stay apart, thick enough to be seen.
    width = float(np.clip(160 / len(places), 0.7, 6))
    for number, (kind, words) in enumerate(_KINDS):
        of_kind = whole == kind
        if not of_kind.any():
            continue
        low, median, high = percentiles[of_kind].T
        label = f"{words} ({of_kind.sum()} of {len(whole)} scans)"
        axis.vlines(places[of_kind], low, high, color=NETWORK_COLOURS[number], alpha=0.6, linewidth=width, label=label)
        axis.plot(places[of_kind], median, linestyle="none", marker="o", markersize=1 + width / 2, color=_MEDIAN)
    axis.set_xlim(0, len(places) + 1)
    axis.grid(False, axis="x")
