"""Figures draw what they are given, and leave the global settings of matplotlib alone."""

import matplotlib as mpl
import numpy as np
import pytest
import torch

from paperlib.plotting import draw_projection, draw_rank_accuracy, draw_ratio_boxes, draw_training_history, draw_vectors
from paperlib.summaries import Box, RankAccuracy
from paperlib.training import Moment


@pytest.fixture(autouse=True)
def settings_stay():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before


def test_rank_accuracy_has_a_curve_a_diamond_for_each_digit_and_the_chance_line():
    by_class = np.linspace(0.1, 1, 30).reshape(10, 3).tolist()
    accuracy = RankAccuracy(by_class, [0.9] * 10, [0.3, 0.6, 0.9], 0.9)
    figure = draw_rank_accuracy({"balanced": accuracy, "unbalanced": accuracy}, emphasised=[1])
    left, right = figure.axes
    assert [left.get_title(), right.get_title()] == ["balanced", "unbalanced"]
    curves = [line for line in left.lines if len(line.get_xdata()) == 3]
    assert [line.get_ydata().tolist() for line in curves] == by_class
    assert len(left.lines) == 21
    assert left.lines[-1].get_ydata()[0] == 0.1
    assert curves[1].get_linewidth() > curves[0].get_linewidth()


def test_ratio_boxes_have_the_given_medians_and_the_random_baseline():
    boxes = [Box(0.0, 0.1, 0.01 * digit + 0.2, 0.4, 0.5, 100) for digit in range(10)]
    figure = draw_ratio_boxes({"balanced": {2: boxes, 5: boxes}}, name="RPR", baseline_dimension=784)
    assert len(figure.axes) == 2
    for axis, rank in zip(figure.axes, (2, 5), strict=True):
        medians = [line.get_ydata()[0] for line in axis.lines if len(set(line.get_ydata())) == 1]
        assert {box.median for box in boxes} <= set(medians)
        assert axis.lines[-1].get_ydata()[0] == pytest.approx(rank / 784)


def test_training_history_begins_at_the_first_step():
    history = [Moment(epoch=0, step=step, loss=1 / (step + 1), test_accuracy=0.5, seconds=0) for step in (0, 1, 2)]
    figure = draw_training_history({"balanced": history}, {"balanced": 2})
    assert figure.axes[0].lines[0].get_xdata().tolist() == [1, 2, 3]


def test_images_have_a_symmetric_scale_and_each_its_title():
    image, projection = torch.rand(4, 4), torch.tensor([[-2.0, 1.0], [0.0, 0.5]])
    figure = draw_projection(image, projection, ("digit 3", "projection"))
    assert figure.axes[1].images[0].get_clim() == (-2, 2)
    figure = draw_vectors([torch.randn(4, 4)] * 7, [f"v{i}" for i in range(7)])
    assert [axis.get_title() for axis in figure.axes if axis.images] == [f"v{i}" for i in range(7)]
