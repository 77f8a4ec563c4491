"""Figures of shifts show the numbers that they are given."""

import numpy as np
import pytest
import torch
from figure_support import assert_readable

from paperlib.intervals import Estimate
from paperlib.plotting.shifts import draw_paired_changes, draw_shift_changes, draw_shift_curves, draw_shift_examples
from paperlib.segmentation.shift_effects import KindEffect, ShiftEffect, ShiftStudy


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1)


def study() -> ShiftStudy:
    some = estimate(0.5)
    effects = tuple(
        ShiftEffect(kind, level, some, some, some, estimate(-level), estimate(level), estimate(0), some, some)
        for kind, level in (("noise", 0.2), ("noise", 0.4), ("scaling", 3.0))
    )
    kind = KindEffect("noise", (0.2, 0.4), some, some, some, some)
    return ShiftStudy(4, 2, {"dice": some, "rpr": some, "entropy": some}, some, some, effects, (kind,), kind)


def test_changes_start_at_the_level_that_changes_nothing():
    axes = np.array(draw_shift_changes(study()).axes).reshape(3, 2)
    assert [axis.get_title() for axis in axes[0]] == ["noise", "scaling"]
    noise, scaling = (axis.containers[0].lines[0].get_xydata() for axis in axes[0])
    np.testing.assert_allclose(noise, [[0, 0], [0.2, -0.2], [0.4, -0.4]])
    np.testing.assert_allclose(scaling, [[1, 0], [3, -3]])
    np.testing.assert_allclose(axes[1, 0].containers[0].lines[0].get_ydata(), [0, 0.2, 0.4])


def test_pairs_are_of_the_volumes_under_each_kind():
    changes = {"dice": [[-0.1, -0.2], [-0.3, -0.4], [0.0, 0.1]], "rpr": [[1, 2], [3, 4], [5, 6]]}
    (axis,) = draw_paired_changes(["noise", "noise", "blur"], changes, {"rpr": "change of RPR"}).axes
    points = {line.get_label(): line.get_xydata() for line in axis.lines if line.get_linestyle() == "None"}
    np.testing.assert_allclose(points["noise"], [[1, -0.1], [2, -0.2], [3, -0.3], [4, -0.4]])
    np.testing.assert_allclose(points["blur"], [[5, 0.0], [6, 0.1]])


def test_examples_share_the_first_grey_scale_and_outline_the_mask():
    image = torch.arange(20.0).reshape(4, 5)
    mask = torch.zeros(4, 5, dtype=torch.uint8)
    mask[1:3, 2:4] = 1
    slices = {"unshifted": (image, mask), "noise 1": (3 * image, mask), "empty": (image, 0 * mask)}
    first, second, third, rest = draw_shift_examples(slices).axes
    assert first.images[0].get_clim() == second.images[0].get_clim()
    np.testing.assert_array_equal(second.images[0].get_array(), 3 * image.T.numpy())
    assert first.collections and not third.collections
    assert not rest.axison


def point(mean, reach=0.01):
    return {"mean": mean, "low": mean - reach, "high": mean + 2 * reach}


SHIFTS = {
    "noise": {0.0: {"dice": point(0.9), "rpr": point(0.12)}, 0.2: {"dice": point(0.7), "rpr": point(0.05)}},
    "intensity": {
        1.0: {"dice": point(0.9), "rpr": point(0.12)},
        0.5: {"dice": point(0.85), "rpr": point(0.11)},
        2.0: {"dice": point(0.8), "rpr": point(0.13)},
    },
}


def test_a_column_for_each_shift_and_a_row_for_each_quantity():
    figure = draw_shift_curves(SHIFTS)
    (noise_dice, dice), (noise_rpr, rpr) = np.reshape(figure.axes, (2, 2))
    assert [axis.get_title() for axis in (noise_dice, dice)] == ["noise", "intensity"]
    assert (noise_dice.get_ylabel(), noise_rpr.get_ylabel()) == ("mean Dice", "mean RPR")
    # In the order of the levels, and dashed at what was given first.
    means, _, (bars,) = rpr.containers[0]
    assert list(means.get_xdata()) == [0.5, 1, 2] and list(means.get_ydata()) == [0.11, 0.12, 0.13]
    assert rpr.lines[0].get_ydata()[0] == 0.12 and rpr.lines[0].get_linestyle() == "--"
    assert [list(segment[:, 1]) for segment in bars.get_segments()] == [
        pytest.approx([mean - 0.01, mean + 0.02]) for mean in (0.11, 0.12, 0.13)
    ]
    assert noise_dice.get_ylim() == dice.get_ylim()
    assert_readable(figure)


def test_levels_of_a_result_file_are_texts():
    as_text = {kind: {str(level): found for level, found in levels.items()} for kind, levels in SHIFTS.items()}
    drawn = draw_shift_curves(as_text, {"dice": "Dice"})
    assert len(drawn.axes) == 2
    assert list(drawn.axes[1].containers[0][0].get_ydata()) == [0.85, 0.9, 0.8]


@pytest.mark.parametrize("kinds", [1, 5])
def test_one_and_many_kinds_fit(kinds):
    assert_readable(draw_shift_curves({f"bias field {n}": SHIFTS["noise"] for n in range(kinds)}))
