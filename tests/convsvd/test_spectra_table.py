"""The layer table of Figure 3, its references and the drawing of the boundaries."""

import pytest
import torch
from torch import nn

from paperlib.convsvd.errata_checks import vgg_counts
from paperlib.convsvd.figure_three import PRINTED_COUNTS, figure_panels, layer_rows, operator_law, printed_sizes
from paperlib.plotting.boundaries import draw_boundary_differences
from paperlib.plotting.spectra import draw_spectra
from paperlib.spectra import (
    BoundaryDifference,
    circular_singular_values,
    distance_from_random,
    shuffled,
    spatial_sizes,
)


@pytest.fixture(scope="module")
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.Flatten()
    )


def test_printed_counts_are_those_of_sizes_by_modules():
    """Oddity O1: the sizes behind the first l modules give all twelve printed numbers, to the digits printed."""
    found = vgg_counts()
    assert printed_sizes() == found["module_sizes"] != found["sizes"]
    for count, printed in zip(found["W2_by_module"], PRINTED_COUNTS, strict=True):
        assert count == pytest.approx(printed, rel=5e-3)


def test_rows_have_the_counts_of_both_matrices(network):
    sizes = spatial_sizes(network, torch.zeros(1, 3, 10, 8))
    rows = layer_rows(network, sizes)
    assert [(row.path, row.channels, row.size) for row in rows] == [("0", (3, 8), (10, 8)), ("3", (8, 12), (5, 4))]
    assert [row.counts for row in rows] == [(8, 3 * 80), (12, 8 * 20)]
    for row in rows:
        values = circular_singular_values(network.get_submodule(row.path), row.size)
        torch.testing.assert_close(row.W2.eigenvalues, values.square(), rtol=1e-10, atol=1e-12)


def test_smallest_gap_is_relative_to_the_larger_value():
    layer = nn.Conv2d(6, 6, 1, bias=False)
    layer.weight.data = torch.diag(torch.tensor([8.0, 4.0, 3.0, 2.4, 1.2, 0.6])).reshape(6, 6, 1, 1)
    (row,) = layer_rows(nn.Sequential(layer), {"0": (4, 8)})
    assert row.smallest_gap == pytest.approx(0.2)


def test_law_of_the_operator_is_that_of_independent_weights():
    """Shuffled or fresh, independent weights follow it; the largest eigenvalue ends near its upper end."""
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 48, 3, bias=False)
    nn.init.normal_(layer.weight)
    values = circular_singular_values(layer, (16, 16)).square()
    found = distance_from_random(values, operator_law(layer))
    assert found.distance < 0.02
    assert 0.9 < found.largest < 1.2


def test_panels_of_both_matrices_are_drawn(network):
    sizes = spatial_sizes(network, torch.zeros(1, 3, 10, 8))
    control = shuffled(network, 0)
    panels = {}
    for row in layer_rows(network, sizes):
        panels |= figure_panels(row.path, row, network.get_submodule(row.path), control.get_submodule(row.path))
    figure = draw_spectra(panels)
    assert [axis.get_title() for axis in figure.axes[:4]] == list(panels)
    assert len(panels) == 4


def test_boundary_differences_are_drawn_where_they_are():
    found = [BoundaryDifference(0.1, 0.01, 2.0, 1.8), BoundaryDifference(0.2, 0.02, 2.0, 1.0)]
    figure = draw_boundary_differences({"trained": found, "shuffled": found[::-1]}, ["1: 8 × 8", "2: 4 × 4"])
    above, below = figure.axes
    assert list(above.lines[0].get_ydata()) == [0.1, 0.2]
    assert [list(line.get_ydata()) for line in below.lines[:2]] == [[0.9, 0.5], [0.5, 0.9]]
    assert [label.get_text() for label in below.get_xticklabels()] == ["1: 8 × 8", "2: 4 × 4"]
    assert figure.get_size_inches()[0] <= 8.5
