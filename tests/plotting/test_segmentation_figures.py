"""Histories and examples of segmentation: lines, best epochs, slices and outlines are those of the data."""

import numpy as np
import pytest
import torch
from figure_support import assert_readable

from paperlib.plotting.segmentation import draw_segmentation_history, draw_volume_examples
from paperlib.segmentation.examples import VolumeExample
from paperlib.segmentation.recipe import SegmentationMoment


def history(*values, loss=0.5):
    return [
        SegmentationMoment(epoch=epoch, loss=loss / epoch, validation_dice=value, seconds=float(epoch))
        for epoch, value in enumerate(values, start=1)
    ]


def test_a_line_for_each_fold_and_a_mark_at_its_best_epoch():
    histories = {"fold 1": history(0.2, 0.8, 0.9, 0.85), "fold 2": history(0.3, 0.88, 0.88, 0.7)}
    figure = draw_segmentation_history(histories)
    loss, dice = figure.axes
    assert list(dice.lines[0].get_ydata()) == [0.2, 0.8, 0.9, 0.85]
    assert list(loss.lines[0].get_ydata()) == pytest.approx([0.5, 0.25, 0.5 / 3, 0.125])
    # Of two equal epochs the first was kept.
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in dice.lines[1::2]]
    assert marks == [(3, 0.9), (2, 0.88)]
    assert [line.get_xdata()[0] for line in loss.lines[1::2]] == [3, 2]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["fold 1: epoch 3, 0.900", "fold 2: epoch 2, 0.880"]
    assert_readable(figure)


def test_the_climb_is_left_out_and_every_best_epoch_is_in():
    good = history(*np.linspace(0.1, 0.9, 60))
    poor = history(0.05, 0.02, loss=9.0)
    loss, dice = draw_segmentation_history({"good": good}).axes
    assert 0.1 < dice.get_ylim()[0] < 0.25 and dice.get_ylim()[1] > 0.9
    assert loss.get_ylim()[1] < 0.5 and loss.get_ylim()[0] < 0.5 / 60
    loss, dice = draw_segmentation_history({"good": good, "poor": poor}).axes
    assert dice.get_ylim()[0] < 0.05 and loss.get_ylim()[1] > 9


def test_a_single_look_is_a_history():
    figure = draw_segmentation_history({"fold 1": history(0.5)})
    low, high = figure.axes[1].get_ylim()
    assert low < 0.5 < high


def block(shape, start, stop):
    mask = torch.zeros(shape, dtype=torch.uint8)
    mask[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = 1
    return mask


def example(label, prediction, heading="lowest RPR", shape=(10, 14, 8)):
    image = torch.arange(np.prod(shape), dtype=torch.float32).reshape(shape)
    return VolumeExample(heading, "hippocampus_123", image, label, prediction, 0.8312)


SHAPE = (10, 14, 8)
# Its middle is voxel (3, 8, 5).
LABEL = block(SHAPE, (2, 6, 4), (5, 11, 7))
NOTHING = torch.zeros(SHAPE, dtype=torch.uint8)


def panels(figure):
    return figure.axes[1:4]


def test_planes_go_through_the_middle_of_the_label():
    shown = example(LABEL, NOTHING)
    figure = draw_volume_examples([shown])
    expected = [shown.image[:, :, 5].T, shown.image[:, 8, :].T, shown.image[3].T]
    for axis, values in zip(panels(figure), expected, strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array(), values)
        assert axis.images[0].origin == "lower"
    assert [axis.get_title() for axis in panels(figure)] == ["x–y plane", "x–z plane", "y–z plane"]


def test_outlines_enclose_the_label_and_the_prediction():
    figure = draw_volume_examples([example(LABEL, block(SHAPE, (1, 6, 4), (5, 12, 7)))])
    label, prediction = panels(figure)[0].collections
    # Half a voxel about the voxels 2 to 4 and 6 to 10, and 1 to 4 and 6 to 11.
    assert np.ptp(label.get_paths()[0].vertices, axis=0) == pytest.approx([3, 5])
    assert label.get_paths()[0].vertices.min(axis=0) == pytest.approx([1.5, 5.5])
    assert prediction.get_paths()[0].vertices.min(axis=0) == pytest.approx([0.5, 5.5])
    assert np.ptp(prediction.get_paths()[0].vertices, axis=0) == pytest.approx([4, 6])
    assert label.get_linestyle() != prediction.get_linestyle()


@pytest.mark.filterwarnings("error")
def test_empty_masks_have_no_outline_and_the_prediction_or_the_volume_gives_the_middle():
    predicted, empty = example(NOTHING, LABEL), example(NOTHING, NOTHING)
    first = draw_volume_examples([predicted])
    assert len(panels(first)[0].collections) == 1
    np.testing.assert_array_equal(panels(first)[2].images[0].get_array(), predicted.image[3].T)
    second = draw_volume_examples([empty])
    assert not panels(second)[0].collections
    np.testing.assert_array_equal(panels(second)[2].images[0].get_array(), empty.image[5].T)


def test_a_row_for_each_volume_with_its_numbers():
    shapes = [SHAPE, (12, 9, 11), (16, 16, 16), (8, 20, 9)]
    names = ["lowest RPR", "highest RPR", "lowest Dice", "highest Dice"]
    shown = [
        example(block(s, (2, 2, 2), (5, 5, 5)), block(s, (2, 2, 2), (4, 5, 5)), n, s)
        for n, s in zip(names, shapes, strict=True)
    ]
    figure = draw_volume_examples(shown)
    assert len(figure.axes) == 16
    texts = [[text.get_text() for text in axis.texts] for axis in figure.axes[::4]]
    assert [heading for heading, _ in texts] == names
    assert texts[0][1] == "hippocampus_123\nDice 0.831"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["label", "prediction"]
    assert_readable(figure)
