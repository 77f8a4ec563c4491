"""Figures of spectral images and of their likeness to edges, from planted values."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from paperlib.plotting.style import NETWORK_COLOURS
from paperlib.plotting.svr_images import draw_similarities, draw_spectral_images
from paperlib.svr.images import SobelSimilarity, similarity_curves
from paperlib.svr.images.sobel import sobel_magnitude

GENERATOR = torch.Generator().manual_seed(0)


def test_a_row_for_each_input_and_neuron_and_a_column_for_each_layer():
    inputs = torch.rand(2, 3, 8, 8, generator=GENERATOR)
    images = {"conv1": torch.randn(2, 4, 8, 8), "conv2": torch.randn(2, 4, 3, 3)}
    figure = draw_spectral_images(inputs, images, (0, 3))
    figure.canvas.draw()
    grid = np.array(figure.axes).reshape(4, 3)
    for row, (index, neuron) in enumerate([(0, 0), (0, 3), (1, 0), (1, 3)]):
        assert grid[row, 1].get_ylabel() == f"neuron {neuron}"
        for column, maps in enumerate(images.values(), start=1):
            shown = grid[row, column].images[0]
            np.testing.assert_array_equal(shown.get_array(), maps[index, neuron].abs())
            assert shown.get_clim() == (0, pytest.approx(maps[index, neuron].abs().max().item()))
    np.testing.assert_array_equal(grid[2, 0].images[0].get_array(), inputs[1].movedim(0, 2))
    np.testing.assert_array_equal(grid[3, 0].images[0].get_array(), sobel_magnitude(inputs)[1])
    assert [axis.get_title() for axis in grid[0]] == ["input", "conv1", "conv2"]
    assert [axis.get_title() for axis in grid[3]] == ["Sobel", "", ""]


def test_signs_are_drawn_where_asked_for_and_grey_inputs_are_grey():
    inputs = torch.rand(1, 1, 8, 8, generator=GENERATOR)
    images = {"conv1": torch.stack([torch.full((2, 2), -3.0), torch.zeros(2, 2), torch.ones(2, 2)]).unsqueeze(0)}
    figure = draw_spectral_images(inputs, images, (0, 1, 2), absolute=False)
    figure.canvas.draw()
    grid = np.array(figure.axes).reshape(3, 2)
    first, second = grid[0, 1].images[0], grid[1, 1].images[0]
    assert first.get_clim() == (-3.0, 3.0) and (np.asarray(first.get_array()) == -3).all()
    assert second.get_clim() == (-1.0, 1.0)
    assert grid[0, 0].images[0].get_array().shape == (8, 8)
    # A third neuron of the same input has nothing to stand beside.
    assert not grid[2, 0].axison and not grid[2, 0].images


def similarity(path: str, neurons: int = 6) -> SobelSimilarity:
    values = torch.rand(3, 50, neurons, dtype=torch.float64, generator=GENERATOR)
    return SobelSimilarity(path, (5, 5), *values)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_means_bands_and_baselines_of_each_layer(count):
    panels = {f"layer {index}": similarity(f"features.{index}") for index in range(count)}
    figure = draw_similarities({title: similarity_curves(found, z=2.0) for title, found in panels.items()})
    figure.canvas.draw()
    used = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title() for axis in used] == list(panels)
    for axis, found in zip(used, panels.values(), strict=True):
        random, other, own, first = axis.lines
        assert list(random.get_ydata()) == pytest.approx([found.random_filters.mean(0).quantile(0.5).item()] * 2)
        for line, values in ((other, found.other_images), (own, found.spectral)):
            np.testing.assert_allclose(line.get_ydata(), values.mean(0), rtol=1e-12)
        assert first.get_ydata()[0] == pytest.approx(found.spectral[:, 0].mean().item())
        assert to_rgba(own.get_color()) == to_rgba(NETWORK_COLOURS[0]) != to_rgba(other.get_color())
        band = axis.collections[1].get_paths()[0].vertices
        at_two = band[band[:, 0] == 2][:, 1]
        reach = 2.0 * found.spectral[:, 2].std().item() / 50**0.5
        assert at_two.max() - at_two.min() == pytest.approx(2 * reach)
        low, high = (found.random_filters.mean(0).quantile(q).item() for q in (0.05, 0.95))
        (chance,) = axis.patches
        assert (chance.get_y(), chance.get_y() + chance.get_height()) == pytest.approx((low, high))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "random filters", "edges of another image", "edges of the image"
    ]  # fmt: skip
    # The whole legend is inside the figure.
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and figure.get_size_inches()[0] <= 8.5
