"""Figures of near-kernel blocks from a planted pair of layers: values, borders and the order of the rows."""

import numpy as np
import pytest
import torch
from torch import nn

from paperlib.plotting.svr_blocks import draw_block_rows, draw_mixed_matrix
from paperlib.svr.pruning.near_kernel import NearKernel, near_kernel


def pair(weak: tuple[int, ...] = (1, 4, 6), factor: float = 1e-3) -> NearKernel:
    torch.manual_seed(1)
    earlier, later = nn.Conv2d(2, 9, 3), nn.Conv2d(9, 12, 3)
    with torch.no_grad():
        earlier.weight[list(weak)] *= factor
        later.weight[:, list(weak)] *= factor
    return near_kernel(earlier, later)


def test_the_mixed_matrix_has_magnitudes_borders_and_both_layers_singular_values():
    found = pair()
    figure = draw_mixed_matrix(found, "conv2", "conv1")
    figure.canvas.draw()
    top, corner, axis, side, bar = figure.axes
    (shown,) = axis.images
    np.testing.assert_allclose(shown.get_array(), (found.later.V[:, 0].T @ found.earlier.U[:, 0]).abs(), atol=1e-12)
    assert shown.get_clim()[0] == 0 and shown.cmap(0.0)[:3] == pytest.approx((1, 1, 1))
    frames = [(patch.get_xy(), patch.get_width(), patch.get_height()) for patch in axis.patches]
    assert frames == [((-0.5, -0.5), 6, 6), ((5.5, 5.5), 3, 3)]
    assert list(top.lines[0].get_ydata()) == found.earlier.S.tolist()
    assert list(side.lines[0].get_xdata()) == found.later.S.tolist()
    assert list(top.lines[1].get_xdata()) == [5.5, 5.5] and list(side.lines[1].get_ydata()) == [5.5, 5.5]
    assert (top.get_yscale(), side.get_xscale()) == ("log", "log")
    # Row 0 is at the top, and the sides share their axes with the image.
    assert axis.get_ylim()[0] > axis.get_ylim()[1] and side.get_ylim() == axis.get_ylim()
    assert top.get_xlim() == axis.get_xlim()
    assert "conv1" in axis.get_xlabel() and "conv2" in axis.get_ylabel() and bar.get_ylabel() == "magnitude"
    assert not corner.axison and max(figure.get_size_inches()) <= 8.5


def test_without_blocks_one_frame_is_left_and_the_axes_are_linear():
    found = pair(factor=1.0)
    figure = draw_mixed_matrix(found, "conv2", "conv1")
    figure.canvas.draw()
    top, _, axis, side, _ = figure.axes
    assert len(axis.patches) == 1 and len(top.lines) == len(side.lines) == 1
    assert (top.get_yscale(), side.get_xscale()) == ("linear", "linear")


def test_rows_stand_in_the_layers_order_and_by_block():
    found = pair()
    figure = draw_block_rows(found, "conv1")
    figure.canvas.draw()
    left, right, _ = figure.axes
    rows = found.earlier.U[:, 0].abs().numpy()
    np.testing.assert_array_equal(left.images[0].get_array(), rows)
    np.testing.assert_array_equal(right.images[0].get_array(), rows[[0, 2, 3, 5, 7, 8, 1, 4, 6]])
    assert [list(line.get_xdata()) for line in left.lines] == [[5.5, 5.5]]
    assert list(right.lines[1].get_ydata()) == [5.5, 5.5] and len(right.lines) == 2
    assert left.images[0].get_clim() == right.images[0].get_clim() and "conv1" in left.get_xlabel()
    assert max(figure.get_size_inches()) <= 8.5


def test_rows_outside_of_all_spectral_neurons_stand_behind_the_last_line():
    found = pair(factor=0.0)
    figure = draw_block_rows(found, "conv1")
    figure.canvas.draw()
    _, right, _ = figure.axes
    assert right.images[0].get_array().shape == (9, 6)
    np.testing.assert_allclose(right.images[0].get_array()[6:], 0, atol=1e-12)
    assert [list(line.get_ydata()) for line in right.lines] == [[5.5, 5.5]]
