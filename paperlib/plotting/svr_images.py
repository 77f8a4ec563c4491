"""Figures of spectral images of `svr`: what the first spectral neurons see, and how like edges it is."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.images import bare
from paperlib.plotting.style import BASELINE, NETWORK_COLOURS, style
from paperlib.svr.images.similarities import SimilarityCurves
from paperlib.svr.images.sobel import sobel_magnitude


def draw_spectral_images(
    inputs: Tensor, images: Mapping[str, Tensor], neurons: Sequence[int] = (0, 1), *, absolute: bool = True
) -> Figure:
    """Spectral images of some neurons, a column for each layer and a row for each input and neuron (Figure 5b).

    ``inputs`` ``(count, channels, height, width)`` in [0, 1] stand at the left, each above the magnitude of its Sobel
    filters; ``images`` holds by layer ``(count, M, *map)``. With ``absolute`` their magnitudes are drawn from black at
    zero to white, else from blue through white at zero to red; each image has its own scale.
    """
    rows = [(index, neuron) for index in range(len(inputs)) for neuron in neurons]
    with style():
        size = (1.05 * (len(images) + 1) + 0.4, 1.12 * len(rows) + 0.2)
        figure, axes = plt.subplots(len(rows), len(images) + 1, figsize=size, squeeze=False)
        edges = sobel_magnitude(inputs)
        for (index, neuron), line in zip(rows, axes, strict=True):
            place = neurons.index(neuron)
            if place == 0:
                _input(line[0], inputs[index])
            elif place == 1:
                line[0].imshow(edges[index].numpy(), cmap="gray")
                bare(line[0], "Sobel", size=8)
            else:
                line[0].set_axis_off()
            for axis, (layer, maps) in zip(line[1:], images.items(), strict=True):
                _spectral(axis, maps[index, neuron], absolute)
                bare(axis, layer if (index, place) == (0, 0) else "", size=8)
            line[1].set_ylabel(f"neuron {neuron}", fontsize=8)
        plt.close(figure)
    return figure


def _input(axis: Axes, image: Tensor) -> None:
    grey = len(image) == 1
    axis.imshow(image[0].numpy() if grey else image.movedim(0, 2).numpy(), cmap="gray", vmin=0, vmax=1)
    bare(axis, "input", size=8)


def _spectral(axis: Axes, values: Tensor, absolute: bool) -> None:
    bound = float(values.abs().max()) or 1.0
    if absolute:
        axis.imshow(values.abs().numpy(), cmap="gray", vmin=0, vmax=bound)
    else:
        axis.imshow(values.numpy(), cmap="RdBu_r", vmin=-bound, vmax=bound)


def draw_similarities(panels: Mapping[str, SimilarityCurves], columns: int = 3) -> Figure:
    """Mean cosine similarity with Sobel's edges against the spectral neuron, a panel for each layer (Figures 6, 14).

    Bands are the intervals of the means. Beside the spectral neurons stand the same neurons with
    another image's edges, and random orthonormal filters: the dashed line is their median and the grey band the
    middle 90 % of them.
    """
    rows = -(-len(panels) // columns)
    with style():
        # The legend above a single panel is wider than the others' share of it.
        size = (max(5.0, min(8.4, 2.8 * len(panels))), 2.4 * rows + 0.6)
        figure, axes = plt.subplots(
            rows, min(columns, len(panels)), figsize=size, sharex=True, sharey=True, squeeze=False
        )
        for axis, (title, found) in zip(axes.flat, panels.items(), strict=False):
            _similarity(axis, found)
            axis.set_title(title)
            axis.xaxis.set_tick_params(labelbottom=True)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        figure.supxlabel("spectral neuron, by singular value", fontsize=9)
        figure.supylabel("mean cosine similarity", fontsize=9)
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8)
        plt.close(figure)
    return figure


def _similarity(axis: Axes, found: SimilarityCurves) -> None:
    low, median, high = found.random
    axis.axhspan(low, high, color="0.85", linewidth=0)
    axis.axhline(median, **BASELINE, label="random filters")
    for means, name, colour in (
        (found.other, "edges of another image", NETWORK_COLOURS[1]),
        (found.own, "edges of the image", NETWORK_COLOURS[0]),
    ):
        places, reach = range(len(means.mean)), means.half_width
        axis.fill_between(places, means.mean - reach, means.mean + reach, color=colour, alpha=0.3, linewidth=0)
        axis.plot(places, means.mean, color=colour, linewidth=1.0, label=name)
    axis.plot(0, found.own.mean[0], "o", color=NETWORK_COLOURS[0], markersize=4)
