"""A convolution of a signal and its adjoint as arrows with weights, beside the matrix."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from paperlib.generalizability.convolution_steps import ConvolutionSteps
from paperlib.plotting.images import bare
from paperlib.plotting.style import NETWORK_COLOURS, style

_FORWARD, _BACKWARD = NETWORK_COLOURS[0], NETWORK_COLOURS[1]
_BOX = {"boxstyle": "round,pad=0.35", "facecolor": "white", "linewidth": 1.2}


def draw_convolution_steps(steps: ConvolutionSteps) -> Figure:
    """The sums of ``A v`` and of ``A^T z`` as arrows between numbers, and the matrix ``A`` of a convolution in 1-D.

    Every arrow has the kernel's weight that it multiplies by; one place of each result has its arrows brought out, and
    the matrix the row and the column that belong to them. Raises ``ValueError`` for a convolution of images.
    """
    if steps.v.dim() != 1:
        raise ValueError(f"{steps.name}: v has {steps.v.dim()} axes; arrows are drawn for signals alone")
    outputs, inputs = len(steps.z), len(steps.v)
    chosen = (outputs // 2, inputs // 2)
    with style():
        figure, (left, middle, right) = plt.subplots(
            1, 3, figsize=(8.4, 2.7), width_ratios=[inputs, inputs, 1.1 * inputs]
        )
        _draw_arrows(left, steps, chosen[0], forward=True)
        _draw_arrows(middle, steps, chosen[1], forward=False)
        _draw_matrix(right, steps, *chosen)
        plt.close(figure)
    return figure


def _draw_arrows(axis: Axes, steps: ConvolutionSteps, chosen: int, *, forward: bool) -> None:
    top, bottom = (steps.v, steps.forward) if forward else (steps.backward, steps.z)
    colour = _FORWARD if forward else _BACKWARD
    # Outputs stand below the middle of the places that they are computed from, as far as those are places at all.
    reach = steps.kernel.shape[0]
    below = [steps.stride * row - steps.padding + (reach - 1) / 2 for row in range(len(bottom))]
    for row, column in (steps.taps >= 0).nonzero().tolist():
        strong = (row if forward else column) == chosen
        start, end = ((column, 1.0), (below[row], 0.0))[:: 1 if forward else -1]
        look = {"arrowstyle": "-|>", "shrinkA": 10, "shrinkB": 10, "color": colour if strong else "0.78"}
        axis.annotate("", end, start, arrowprops=look | {"linewidth": 1.8 if strong else 0.9}, zorder=1 + strong)
        if strong:
            label = f"{steps.matrix[row, column]:g}"
            axis.annotate(
                label,
                ((column + below[row]) / 2, 0.5),
                ha="center",
                va="center",
                fontsize=8,
                bbox=_BOX | {"linewidth": 0},
                zorder=3,
            )
    _draw_numbers(axis, range(len(top)), 1.0, top.tolist(), None if forward else chosen, colour)
    _draw_numbers(axis, below, 0.0, bottom.tolist(), chosen if forward else None, colour)
    axis.set(xlim=(-0.7, len(top) - 0.3), ylim=(-0.3, 1.3))
    bare(axis, "$v$ above, $Av$ below" if forward else "$A^Tz$ above, $z$ below")
    for spine in axis.spines.values():
        spine.set_visible(False)


def _draw_numbers(axis: Axes, places, height: float, values: list[float], chosen: int | None, colour: str) -> None:
    for place, (x, value) in enumerate(zip(places, values, strict=True)):
        box = _BOX | {"edgecolor": colour if place == chosen else "0.5", "linewidth": 2 if place == chosen else 0.8}
        axis.annotate(f"{value + 0:g}", (x, height), ha="center", va="center", fontsize=9, bbox=box, zorder=4)


def _draw_matrix(axis: Axes, steps: ConvolutionSteps, row: int, column: int) -> None:
    matrix = steps.matrix.numpy()
    bound = np.abs(matrix).max()
    axis.imshow(matrix, cmap="RdBu_r", norm=TwoSlopeNorm(0, -2.5 * bound, 2.5 * bound))
    for i, j in np.argwhere(steps.taps.numpy() >= 0):
        axis.annotate(f"{matrix[i, j]:g}", (j, i), ha="center", va="center", fontsize=8)
    rows, columns = matrix.shape
    look = {"fill": False, "linewidth": 2}
    axis.add_patch(plt.Rectangle((-0.48, row - 0.48), columns - 0.04, 0.96, edgecolor=_FORWARD, **look))
    axis.add_patch(
        plt.Rectangle((column - 0.48, -0.48), 0.96, rows - 0.04, edgecolor=_BACKWARD, linestyle="--", **look)
    )
    bare(axis, "the matrix $A$")
