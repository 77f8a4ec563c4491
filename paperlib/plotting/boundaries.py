"""How far the spectrum with a circular boundary is from that with zero padding, layer by layer."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import BASELINE, NETWORK_COLOURS, style
from paperlib.spectra import BoundaryDifference

_MARKERS = ("o", "s", "^", "D")


def draw_boundary_differences(networks: Mapping[str, Sequence[BoundaryDifference]], layers: Sequence[str]) -> Figure:
    """Distance of the two spectra, with twice its standard error, and ratio of their largest values, for each layer.

    ``layers`` names the layers along the axis, in the order of each network's differences.
    """
    with style():
        figure, (above, below) = plt.subplots(2, 1, figsize=(7.2, 4.6), sharex=True)
        for number, (name, found) in enumerate(networks.items()):
            look = {"color": NETWORK_COLOURS[number], "marker": _MARKERS[number], "markersize": 4.5, "label": name}
            errors = [2 * one.error for one in found]
            above.errorbar(range(len(found)), [one.distance for one in found], errors, capsize=2, **look)
            below.plot(range(len(found)), [one.top_ratio for one in found], **look)
        above.set(ylabel="Kolmogorov-Smirnov\ndistance", ylim=(0, None))
        below.axhline(1, **BASELINE)
        below.set_ylabel("largest value,\nzero / circular")
        _layer_axis(below, layers)
        above.legend()
        plt.close(figure)
    return figure


def _layer_axis(axis: Axes, layers: Sequence[str]) -> None:
    axis.set_xticks(range(len(layers)), layers, rotation=45, ha="right", rotation_mode="anchor", fontsize=7.5)
