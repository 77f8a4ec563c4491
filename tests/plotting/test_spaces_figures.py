"""Figures of `vectorspaces` from planted numbers: everything given is drawn, and nothing is left open."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from paperlib.plotting import (
    ImageRow,
    draw_condition_numbers,
    draw_image_rows,
    draw_rejections,
    draw_separations,
    draw_singular_values,
)
from paperlib.plotting.style import DIGIT_COLOURS, NETWORK_COLOURS


def images_of(figure: Figure) -> list:
    """The images of a grid, without those of its colour bars."""
    return [axis.images[0] for axis in figure.axes if axis.images]


def drawn(figure: Figure) -> Figure:
    """After a real drawing, which fails where a label or a limit cannot be set."""
    figure.canvas.draw()
    return figure


VECTORS = torch.tensor([[[-4.0, 1.0], [0.0, 2.0]], [[0.5, -0.25], [0.0, 0.1]], [[-1.0, 0.0], [0.0, 0.0]]])


def test_a_common_scale_reaches_to_the_largest_magnitude_of_the_row():
    figure = drawn(draw_image_rows([ImageRow("signal", VECTORS, ["a", "b", "c"])]))
    shown = images_of(figure)
    assert [image.get_clim() for image in shown] == [(-4.0, 4.0)] * 3
    for image, vector in zip(shown, VECTORS, strict=True):
        assert np.array_equal(image.get_array(), vector.numpy())
    # Zero is white, so that brightness is magnitude.
    assert shown[0].cmap(shown[0].norm(0.0))[:3] == pytest.approx((1, 1, 1), abs=0.05)


def test_scales_of_their_own_differ():
    row = ImageRow("signal", VECTORS, ["a", "b", "c"], scale="own")
    assert [image.get_clim() for image in images_of(drawn(draw_image_rows([row])))] == [(-4, 4), (-0.5, 0.5), (-1, 1)]


def test_images_without_signs_are_grey_from_their_least_to_their_largest():
    common = images_of(draw_image_rows([ImageRow("means", VECTORS.abs() + 1, ["", "", ""], signed=False)]))
    assert [image.get_clim() for image in common] == [(1.0, 5.0)] * 3
    assert {image.cmap.name for image in common} == {"gray"}
    own = ImageRow("means", VECTORS.abs() + 1, ["", "", ""], signed=False, scale="own")
    assert images_of(draw_image_rows([own]))[1].get_clim() == (1.0, 1.5)


def test_a_row_of_zeros_can_be_drawn():
    for scale in ("common", "own"):
        figure = drawn(draw_image_rows([ImageRow("zero", torch.zeros(2, 3, 3), ["a", "b"], scale=scale)]))
        assert [image.get_clim() for image in images_of(figure)] == [(-1.0, 1.0)] * 2


def test_rows_have_labels_titles_and_a_colour_bar_where_the_scale_is_one():
    rows = [
        ImageRow("weights", VECTORS, ["w0", "w1", "w2"]),
        ImageRow("residuals", VECTORS[:2], ["r0", "r1"], scale="own"),
    ]
    figure = drawn(draw_image_rows(rows))
    # Two rows of three places, of which the last holds nothing and shows nothing, and one bar.
    assert len(figure.axes) == 7
    grid = figure.axes[:6]
    assert [axis.get_title() for axis in grid] == ["w0", "w1", "w2", "r0", "r1", ""]
    assert [axis.get_ylabel() for axis in grid] == ["weights", "", "", "residuals", "", ""]
    assert [len(axis.images) for axis in grid] == [1, 1, 1, 1, 1, 0]
    assert [axis.axison for axis in grid] == [True] * 5 + [False]
    low, high = figure.axes[6].get_ylim()
    assert (low, high) == (-4, 4)


def test_three_rows_of_ten_digits_as_in_figure_1():
    rows = [ImageRow(str(n), torch.rand(10, 28, 28), [str(digit) for digit in range(10)]) for n in range(3)]
    figure = drawn(draw_image_rows(rows))
    assert len(images_of(figure)) == 30
    assert {image.get_array().shape for image in images_of(figure)} == {(28, 28)}


def test_singular_values_are_relative_to_the_largest():
    spectra = {"1 layer": torch.tensor([8.0, 4.0, 1.0]), "5 layers": torch.tensor([3.0, 1.5])}
    figure = drawn(draw_singular_values(spectra))
    (axis,) = figure.axes
    assert [line.get_ydata().tolist() for line in axis.lines] == [[1.0, 0.5, 0.125], [1.0, 0.5]]
    assert [list(line.get_xdata()) for line in axis.lines] == [[0, 1, 2], [0, 1]]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["1 layer", "5 layers"]
    assert axis.get_ylim()[0] == 0 and axis.lines[0].get_color() != axis.lines[1].get_color()
    assert len(axis.collections) == 0 and axis.get_xlabel() and axis.get_ylabel()


def test_band_of_random_spectra_is_its_middle_95_per_cent():
    draws = torch.stack([torch.ones(101), torch.linspace(0.5, 0.9, 101)], 1).double()
    figure = drawn(draw_singular_values({"trained": torch.tensor([2.0, 1.0])}, ("random", draws)))
    (axis,) = figure.axes
    (band,) = axis.collections
    corners = band.get_paths()[0].vertices
    second = corners[corners[:, 0] == 1][:, 1]
    assert second.min() == pytest.approx(0.51) and second.max() == pytest.approx(0.89)
    assert "random" in [text.get_text() for text in axis.get_legend().get_texts()]


def test_condition_numbers_are_dots_by_group_with_the_paper_as_a_rule():
    groups = {"seeds": torch.tensor([7.0, 7.3, 7.3]), "biased": torch.tensor([6.9])}
    figure = drawn(draw_condition_numbers(groups, ("paper", 7.22), ("edge", 1.1)))
    (axis,) = figure.axes
    first, second, paper, edge = axis.lines
    assert first.get_xdata() == pytest.approx([7.0, 7.3, 7.3]) and second.get_xdata() == pytest.approx([6.9])
    # Equal numbers stay apart, and every dot stays in its own group's half of the height.
    assert len(set(first.get_ydata())) == 3
    assert all(abs(height) < 0.5 for height in first.get_ydata()) and abs(second.get_ydata()[0] - 1) < 0.5
    assert set(paper.get_xdata()) == {7.22} and set(edge.get_xdata()) == {1.1}
    assert [label.get_text() for label in axis.get_yticklabels()] == ["seeds", "biased"]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["paper", "edge"]
    # The first group stands on top.
    assert axis.get_ylim()[0] > axis.get_ylim()[1]


def test_condition_numbers_without_an_edge():
    figure = drawn(draw_condition_numbers({"seeds": torch.tensor([7.0])}, ("paper", 7.22)))
    assert len(figure.axes[0].lines) == 2


def test_rejections_have_a_panel_for_each_network_and_dots_for_each_digit():
    panels = {
        "1 layer": {"linear1": [0.1 * digit for digit in range(10)]},
        "5 layers": {f"linear{n}": [0.05 * digit + 0.1 * n for digit in range(10)] for n in range(3)},
    }
    figure = drawn(draw_rejections(panels, {"1 layer": [0.9], "5 layers": [0.6, 0.5, 0.4]}))
    one, five = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["1 layer", "5 layers"]
    for axis, network in zip((one, five), panels, strict=True):
        layers = panels[network]
        assert len(axis.lines) == 10
        for digit, line in enumerate(axis.lines):
            assert list(line.get_ydata()) == [shares[digit] for shares in layers.values()]
            # Beside the others, and over the name of its own layer.
            assert [round(place) for place in line.get_xdata()] == list(range(len(layers)))
            assert to_rgba(line.get_color()) == to_rgba(DIGIT_COLOURS[digit])
        assert len({line.get_xdata()[0] for line in axis.lines}) == 10
        assert [label.get_text() for label in axis.get_xticklabels()] == list(layers)
    chance = [[segment[0][1] for segment in axis.collections[0].get_segments()] for axis in figure.axes]
    assert chance == [[0.9], [0.6, 0.5, 0.4]]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*map(str, range(10)), "chance"]
    low, high = one.get_ylim()
    assert low < 0 and high > 1 and five.get_ylim() == (low, high)


def test_separations_have_an_interval_and_a_dot_filled_where_it_is_sure():
    def row(area: float, p_value: float) -> dict:
        return {"within_class": {"area": area, "low": area - 0.1, "high": area + 0.1}, "adjusted_p_value": p_value}

    panels = {
        "1 layer": {"linear1": row(0.6, 0.01)},
        "ResNet18": {"conv1": row(0.7, 0.049), "layer1.0.conv1": {"mean": 0.0}, "fc": row(0.4, 0.2)},
    }
    figure = drawn(draw_separations(panels))
    one, resnet = figure.axes
    assert [label.get_text() for label in resnet.get_xticklabels()] == ["conv1", "fc"]
    assert [axis.get_title() for axis in figure.axes] == ["1 layer", "ResNet18"]
    first, dot, second, other, chance = resnet.lines
    assert list(first.get_ydata()) == pytest.approx([0.6, 0.8]) and list(first.get_xdata()) == [0, 0]
    assert list(second.get_ydata()) == pytest.approx([0.3, 0.5]) and list(second.get_xdata()) == [1, 1]
    assert [list(line.get_ydata()) for line in (dot, other)] == [[0.7], [0.4]]
    assert to_rgba(dot.get_markerfacecolor()) == to_rgba(NETWORK_COLOURS[1])
    assert to_rgba(other.get_markerfacecolor()) == to_rgba("white")
    assert set(chance.get_ydata()) == {0.5}
    strict = draw_separations(panels, level=0.001)
    assert to_rgba(strict.axes[0].lines[1].get_markerfacecolor()) == to_rgba("white")
    assert one.get_ylim() == (0, 1)
