"""Figures of `vectorspaces`: weights, signal vectors and residuals as images, singular values, rejected energy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.images import bare
from paperlib.plotting.style import BASELINE, DIGIT_COLOURS, NETWORK_COLOURS, style


@dataclass(frozen=True)
class ImageRow:
    """A row of a grid: images ``(count, height, width)`` with a label on the left and a title over each.

    Raises ``ValueError`` unless there is a title, if an empty one, for each of one or more images.
    ``scale`` is ``"common"`` where all images of the row share one scale, so that their brightness can be compared,
    or ``"own"``. Signed images are drawn from blue through white at zero to red, others grey from black to white.
    """

    label: str
    images: Tensor
    titles: Sequence[str]
    signed: bool = True
    scale: Literal["common", "own"] = "common"

    def __post_init__(self):
        if len(self.titles) != len(self.images) or len(self.images) == 0:
            raise ValueError(f"{len(self.images)} images have {len(self.titles)} titles; expected one for each image")


def draw_image_rows(rows: Sequence[ImageRow]) -> Figure:
    """A grid of images, row by row, each row with one colour bar where it has one scale (`vectorspaces`, Figure 1)."""
    columns = max(len(row.images) for row in rows)
    with style():
        size = (0.8 * columns + 0.8, 1.06 * len(rows) + 0.15)
        figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
        for row, line in zip(rows, axes, strict=True):
            for axis in line[len(row.images) :]:
                axis.set_axis_off()
            for axis, image, title, limits in zip(line, row.images, row.titles, _limits(row), strict=False):
                shown = axis.imshow(
                    image.numpy(), cmap="RdBu_r" if row.signed else "gray", vmin=limits[0], vmax=limits[1]
                )
                bare(axis, title, size=8)
            line[0].set_ylabel(row.label, fontsize=9)
            if row.scale == "common":
                bar = figure.colorbar(shown, ax=list(line), shrink=0.85, pad=0.01, aspect=14)
                bar.ax.tick_params(labelsize=7)
        plt.close(figure)
    return figure


def _limits(row: ImageRow) -> list[tuple[float, float]]:
    def limits(values: Tensor) -> tuple[float, float]:
        if row.signed:
            bound = float(values.abs().max()) or 1.0
            return -bound, bound
        return float(values.min()), float(values.max())

    if row.scale == "common":
        return [limits(row.images)] * len(row.images)
    return [limits(image) for image in row.images]


def draw_singular_values(spectra: Mapping[str, Tensor], band: tuple[str, Tensor] | None = None) -> Figure:
    """Singular values relative to the largest against their number, a line for each of ``spectra``.

    ``band`` is a name and relative spectra ``(draws, k)`` of random matrices: the middle 95 % of them is shaded.
    """
    with style():
        figure, axis = plt.subplots(figsize=(5.2, 3.0))
        if band is not None:
            name, draws = band
            low, high = draws.quantile(0.025, dim=0), draws.quantile(0.975, dim=0)
            axis.fill_between(range(len(low)), low, high, color="0.8", label=name)
        for number, (name, values) in enumerate(spectra.items()):
            relative = values / values[0]
            # Later lines are thinner with larger hollow dots, so that two that coincide both show.
            look = {"linewidth": 2.4 / (number + 1), "markersize": 4 + 3 * number}
            look |= {"markerfacecolor": "none"} if number else {}
            axis.plot(range(len(relative)), relative, "-o", label=name, color=DIGIT_COLOURS[number % 10], **look)
        axis.set_xlabel("index of the singular value")
        axis.set_ylabel("singular value / largest")
        axis.set_ylim(0, 1.05)
        axis.legend()
        plt.close(figure)
    return figure


def draw_condition_numbers(
    groups: Mapping[str, Tensor], reference: tuple[str, float], edge: tuple[str, float] | None = None
) -> Figure:
    """Condition numbers of several groups of matrices as dots on a line each, with the paper's value as a rule."""
    with style():
        figure, axis = plt.subplots(figsize=(6.4, 0.5 * len(groups) + 1.0))
        for place, values in enumerate(groups.values()):
            # Spread over the height in a fixed pattern, so that equal values stay visible.
            heights = [place + 0.28 * ((7 * i) % 11 - 5) / 5 for i in range(len(values))]
            axis.plot(values, heights, "o", markersize=3.5, alpha=0.6, color=DIGIT_COLOURS[place % 10])
        axis.axvline(reference[1], color="k", linewidth=1.2, label=reference[0])
        if edge is not None:
            axis.axvline(edge[1], **BASELINE, label=edge[0])
        axis.set_yticks(range(len(groups)), list(groups))
        axis.set_ylim(-0.6, len(groups) - 0.4)
        axis.invert_yaxis()
        axis.set_xlabel("condition number")
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        plt.close(figure)
    return figure


def draw_rejections(
    panels: Mapping[str, Mapping[str, Sequence[float]]], chance: Mapping[str, Sequence[float]]
) -> Figure:
    """Mean share of rejected energy by layer: a panel for each network, a dot for each class.

    ``panels[network][layer]`` holds one mean for each class; the bars are what a random subspace of the same dimension
    rejects, ``chance[network]`` by layer.
    """
    with style():
        widths = [max(len(layers), 3) for layers in panels.values()]
        figure, axes = plt.subplots(1, len(panels), figsize=(8.4, 3.8), sharey=True, width_ratios=widths, squeeze=False)
        for axis, (network, layers) in zip(axes[0], panels.items(), strict=True):
            places = range(len(layers))
            for label, shares in enumerate(zip(*layers.values(), strict=True)):
                # Beside each other, so that the digits' shares can be told apart where they are close.
                beside = [place + 0.07 * (label - 4.5) for place in places]
                axis.plot(beside, shares, "o", markersize=2.6, color=DIGIT_COLOURS[label % 10], label=label)
            axis.hlines(
                chance[network], [p - 0.45 for p in places], [p + 0.45 for p in places], color="0.3", label="chance"
            )
            axis.set_xticks(places, list(layers), rotation=90, fontsize=7)
            axis.set_title(network)
            axis.set_xlim(-0.6, len(layers) - 0.4)
        axes[0][0].set_ylim(-0.03, 1.03)
        axes[0][0].set_ylabel("share of the energy rejected")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", title="digit", markerscale=1.6)
        plt.close(figure)
    return figure


def draw_separations(panels: Mapping[str, Mapping[str, Mapping[str, Any]]], level: float = 0.05) -> Figure:
    """Area under the ROC curve within classes by layer, with its interval: a panel for each network.

    ``panels[network][layer]`` is a row of `paperlib.vectorspaces.rejection.rejection_statistics`; filled dots have an
    adjusted p-value below ``level``. Layers without areas are left out. The dashed line at 0.5 is chance.
    """
    kept = {
        network: {layer: row for layer, row in layers.items() if "within_class" in row}
        for network, layers in panels.items()
    }
    with style():
        widths = [max(len(layers), 3) for layers in kept.values()]
        figure, axes = plt.subplots(1, len(kept), figsize=(8.4, 3.8), sharey=True, width_ratios=widths, squeeze=False)
        for number, (axis, (network, layers)) in enumerate(zip(axes[0], kept.items(), strict=True)):
            for place, row in enumerate(layers.values()):
                found, colour = row["within_class"], NETWORK_COLOURS[number % len(NETWORK_COLOURS)]
                face = colour if row["adjusted_p_value"] < level else "white"
                axis.plot([place, place], [found["low"], found["high"]], color=colour, linewidth=1.2)
                axis.plot(place, found["area"], "o", color=colour, markerfacecolor=face, markersize=5)
            axis.axhline(0.5, **BASELINE)
            axis.set_xticks(range(len(layers)), list(layers), rotation=90, fontsize=7)
            axis.set_title(network)
            axis.set_xlim(-0.6, max(len(layers), 1) - 0.4)
        axes[0][0].set_ylim(0, 1)
        axes[0][0].set_ylabel("area under the ROC curve")
        plt.close(figure)
    return figure
