"""Figures of optimised images, heat maps, overlays and layer steps: every image is where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from paperlib.convsvd.layer_steps import chance_survival, layer_steps, survival
from paperlib.models import four_layer_cnn
from paperlib.plotting.feature_images import draw_feature_images, draw_heat_maps, draw_similarity_overlays
from paperlib.plotting.layer_steps import draw_layer_steps, draw_relu_survival


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def pictures(figure):
    return [axis.get_images() for axis in figure.axes if axis.get_images()]


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    assert not plt.get_fignums()


def test_grids_have_a_column_for_each_title_and_take_grey_and_colour():
    rows = {"optimised": drawn(3, 1, 8, 8), "exemplary": drawn(3, 3, 6, 6)}
    figure = draw_feature_images(rows, ["a", "b", "c"])
    found = pictures(figure)
    assert len(found) == 6
    np.testing.assert_allclose(found[1][0].get_array(), rows["optimised"][1, 0])
    np.testing.assert_allclose(found[5][0].get_array(), rows["exemplary"][2].movedim(0, 2))
    assert [axis.get_title() for axis in figure.axes] == ["a", "b", "c", "", "", ""]
    assert figure.axes[3].get_ylabel() == "exemplary"
    with pytest.raises(ValueError, match="row 'optimised' has 3 images for 2 titles"):
        draw_feature_images(rows, ["a", "b"])


def test_heat_maps_have_one_scale_a_direction_with_white_at_zero():
    maps = drawn(2, 3, 4, 4) - 0.3
    figure = draw_heat_maps(drawn(2, 1, 8, 8), maps, ["one", "two"], ["v0", "v1", "v2"])
    grid = np.array([axis.get_images()[0] for axis in figure.axes]).reshape(4, 2)
    for direction in range(3):
        bound = float(maps[:, direction].abs().max())
        for image in range(2):
            shown = grid[direction + 1, image]
            np.testing.assert_allclose(shown.get_array(), maps[image, direction])
            assert shown.get_clim() == pytest.approx((-bound, bound))
    with pytest.raises(ValueError, match="2 images with 1 titles"):
        draw_heat_maps(drawn(2, 1, 8, 8), maps, ["one"], ["v0", "v1", "v2"])


def test_overlays_veil_what_is_unlike_and_mark_the_best_match():
    maps = drawn(4, 5, 2, 3) * 0.5
    maps[1, 2] = -1.0
    maps[1, 2, 1, 2] = 0.8
    figure = draw_similarity_overlays(drawn(3, 8, 10), drawn(3, 6, 9), maps, [(1, 2), (0, 0)])
    above, below = figure.axes[0], figure.axes[2]
    veil = below.get_images()[1].get_alpha()
    assert veil[1, 2] == pytest.approx(0)
    assert veil[0, 0] == pytest.approx(0.88)
    assert below.get_title() == "largest cosine 0.80"
    # Place (1, 2) of a 4 x 5 grid on 8 x 10 pixels, and its match (1, 2) of 2 x 3 on 6 x 9.
    assert above.patches[0].get_xy() == (3.5, 1.5)
    assert below.patches[0].get_xy() == (5.5, 2.5)
    with pytest.raises(IndexError, match="the grid is 4 x 5"):
        draw_similarity_overlays(drawn(3, 8, 10), drawn(3, 6, 9), maps, [(4, 0)])
    with pytest.raises(ValueError, match="no place"):
        draw_similarity_overlays(drawn(3, 8, 10), drawn(3, 6, 9), maps, [])


def test_layer_steps_are_all_drawn_with_singular_values_above_the_signals():
    steps = layer_steps(four_layer_cnn(), "conv1", drawn(1, 28, 28))
    figure = draw_layer_steps(steps)
    found = [one for (one,) in pictures(figure)]
    assert len(found) == 1 + 9 + 9 + 9 + 32 + 32 + 9
    np.testing.assert_allclose(found[1].get_array(), steps.fields[0])
    np.testing.assert_allclose(found[-1].get_array(), steps.returned[8])
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [f"{value:.2f}" for value in steps.singular_values.tolist()]
    bounds = {one.get_clim() for one in found[19:28]}
    assert bounds == {(-float(steps.signals.abs().max()), float(steps.signals.abs().max()))}
    assert "32 images of 26 × 26" in " ".join(text.get_text() for text in figure.texts)


def test_layer_steps_of_a_deep_layer_with_a_scale_for_each_image():
    steps = layer_steps(four_layer_cnn(), "conv2", drawn(1, 28, 28))
    figure = draw_layer_steps(steps, shown=4, scale="image")
    found = [one for (one,) in pictures(figure)]
    assert len(found) == 4 * 5 + 64 * 2
    assert found[8].get_clim()[1] == pytest.approx(float(steps.projections[0].abs().max()))
    assert "the first 4 of 288 images" in " ".join(text.get_text() for text in figure.texts)
    # No image leaves the page.
    boxes = [axis.get_position() for axis in figure.axes]
    assert min(box.x0 for box in boxes) >= 0 and max(box.x1 for box in boxes) <= 1
    assert min(box.y0 for box in boxes) >= 0 and max(box.y1 for box in boxes) <= 1


@pytest.mark.parametrize(("shown", "scale"), [(0, "step"), (9, "row")])
def test_layer_steps_refuse_other_settings(shown, scale):
    steps = layer_steps(four_layer_cnn(), "conv1", drawn(1, 28, 28))
    with pytest.raises(ValueError, match=f"shown is {shown} and scale '{scale}'"):
        draw_layer_steps(steps, shown, scale)


def test_survival_has_a_curve_for_each_network_and_a_band_for_chance():
    model, images = four_layer_cnn(), drawn(3, 1, 28, 28)
    found = {"trained": survival(model, "conv1", images), "untrained": survival(four_layer_cnn(), "conv1", images)}
    chance = chance_survival(model, "conv1", images, 4, 0)
    figure = draw_relu_survival(found, {"trained": chance})
    energies, ratios, correlations = figure.axes
    assert len(energies.lines) == 4
    np.testing.assert_allclose(energies.lines[1].get_ydata(), found["trained"].after)
    np.testing.assert_allclose(ratios.lines[0].get_ydata(), found["trained"].ratio)
    assert len(correlations.collections) == 1
    (path,) = correlations.collections[0].get_paths()
    lowest = min(float(one.correlation.min()) for one in chance)
    assert path.vertices[:, 1].min() == pytest.approx(lowest)
