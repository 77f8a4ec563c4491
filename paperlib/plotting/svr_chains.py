"""Figures of how the first spectral neurons of a network's layers fit (`svr`, Section 5.1)."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import BASELINE, NETWORK_COLOURS, style
from paperlib.svr.experiments.super_feature import LeadingChain


def draw_leading_chains(
    trained: Mapping[str, LeadingChain], untrained: Mapping[str, LeadingChain], columns: int = 2
) -> Figure:
    """Adjacency coefficient of the first spectral neurons of consecutive convolutions, a panel for each network.

    ``untrained`` has the same networks before training, by the same names. The dashed line is the coefficient that
    chance exceeds with the probability at which ``LeadingChain`` was made. Full dots mark the largest coefficient of
    a whole adjacency matrix.
    """
    rows = -(-len(trained) // columns)
    with style():
        size = (4.2 * min(columns, len(trained)), 2.4 * rows + 0.4)
        figure, axes = plt.subplots(rows, min(columns, len(trained)), figsize=size, sharey=True, squeeze=False)
        for axis, (name, chain) in zip(axes.flat, trained.items(), strict=False):
            places = np.arange(1, len(chain.later) + 1)
            axis.plot(places, chain.thresholds, label="threshold", **BASELINE)
            _draw_chain(axis, places, untrained[name], NETWORK_COLOURS[1], "untrained")
            _draw_chain(axis, places, chain, NETWORK_COLOURS[0], "trained")
            axis.set_title(name)
            axis.set_yscale("log")
            axis.set_xticks(places[:: 1 + len(places) // 9])
        for axis in axes.flat[len(trained) :]:
            axis.set_axis_off()
        figure.supxlabel("later convolution of the pair, counted from 0", fontsize=9)
        figure.supylabel("coefficient of the first neurons", fontsize=9)
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8)
        plt.close(figure)
    return figure


def _draw_chain(axis: Axes, places: np.ndarray, chain: LeadingChain, colour: str, label: str) -> None:
    values = np.array(chain.coefficients)
    axis.plot(places, values, color=colour, marker="o", markerfacecolor="white", markersize=4, label=label)
    largest = np.array(chain.largest_in_matrix)
    axis.plot(places[largest], values[largest], linestyle="", marker="o", markersize=4, color=colour)
