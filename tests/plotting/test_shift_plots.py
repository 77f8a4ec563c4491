"""Figures of shifts show the numbers that they are given."""

import numpy as np
import torch

from paperlib.intervals import Estimate
from paperlib.plotting.shifts import draw_paired_changes, draw_shift_changes, draw_shift_examples
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
    points = {line.get_label(): line.get_xydata() for line in axis.lines if line.get_marker() == "o"}
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
