"""Figures of the near-kernel blocks of `svr`: the matrix from SVR to co-SVR, and the rows of output representations."""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.style import NETWORK_COLOURS, style
from paperlib.svr.pruning.near_kernel import NearKernel

_BORDER = {"color": NETWORK_COLOURS[1], "linewidth": 1.0}


def draw_mixed_matrix(found: NearKernel, later: str, earlier: str) -> Figure:
    """``|V~^T U|`` from the SVR of a layer to the co-SVR of the next as an image, its blocks framed (Figure 7).

    The singular values of both layers stand along the sides: of the ``later`` layer (its name) beside the rows, of the
    ``earlier`` one above the columns, on a logarithmic axis where they span more than a decade. Black is the 99.5th
    percentile.
    """
    magnitudes = found.mixed.coefficients.sqrt().cpu()
    with style():
        figure, ((top, corner), (axis, side)) = plt.subplots(
            2, 2, figsize=(6.4, 6.2), sharex="col", sharey="row", width_ratios=(4, 1), height_ratios=(1, 4)
        )
        corner.set_axis_off()
        shown = _grey(axis, magnitudes)
        for rows, columns in zip(found.blocks.rows, found.blocks.columns, strict=True):
            corner_of_block = (columns.start - 0.5, rows.start - 0.5)
            axis.add_patch(plt.Rectangle(corner_of_block, len(columns), len(rows), fill=False, **_BORDER))
        axis.set_xlabel(f"spectral neuron of the SVR of {earlier}")
        axis.set_ylabel(f"spectral neuron of the co-SVR of {later}")
        look = {"color": NETWORK_COLOURS[0], "marker": ".", "markersize": 3, "linewidth": 0.8}
        top.plot(range(magnitudes.shape[1]), found.earlier.S.cpu(), **look)
        side.plot(found.later.S.cpu(), range(magnitudes.shape[0]), **look)
        top.set(ylabel="singular value", yscale=_scale(found.earlier.S))
        side.set(xlabel="singular value", xscale=_scale(found.later.S))
        for border in found.blocks.borders:
            top.axvline(border.column - 0.5, **_BORDER)
            side.axhline(border.row - 0.5, **_BORDER)
        figure.colorbar(shown, ax=side, shrink=0.8, aspect=25, label="magnitude", extend="max")
        plt.close(figure)
    return figure


def draw_block_rows(found: NearKernel, layer: str) -> Figure:
    """``|U|`` of the SVR of ``layer`` (its name), rows as the layer has them and sorted by block (Figure 8).

    A row is a neuron (channel) and a column a spectral neuron. Lines part the blocks; rows behind the last line
    belong to no spectral neuron.
    """
    magnitudes = found.earlier.U[:, 0].abs().cpu()
    order = found.block.cpu().argsort(stable=True)
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.2, 4.2), sharey=True)
        _grey(left, magnitudes)
        shown = _grey(right, magnitudes[order])
        for axis, title in ((left, "channels in the layer's order"), (right, "channels by block")):
            for border in found.blocks.borders:
                axis.axvline(border.column - 0.5, **_BORDER)
            axis.set_xlabel(f"spectral neuron of {layer}")
            axis.set_title(title)
        counts = torch.bincount(found.block.cpu(), minlength=found.written.shape[1])
        for end in counts.cumsum(0)[:-1].unique():
            if 0 < end < len(order):
                right.axhline(int(end) - 0.5, **_BORDER)
        left.set_ylabel("channel")
        figure.colorbar(shown, ax=(left, right), shrink=0.8, aspect=25, label="magnitude", extend="max")
        plt.close(figure)
    return figure


def _scale(values: Tensor) -> str:
    """Logarithmic axes of less than a decade have more labels than room for them."""
    return "log" if values[0] > 10 * values[-1] else "linear"


def _grey(axis: Axes, magnitudes: Tensor):
    """White for 0 to black for the largest but a few, which would leave all others pale."""
    axis.grid(visible=False)
    darkest = magnitudes.flatten().quantile(0.995).item() or 1.0
    return axis.imshow(magnitudes.numpy(), cmap="Greys", vmin=0, vmax=darkest, aspect="auto")
