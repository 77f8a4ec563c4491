"""Learning curves: means, ends and runs drawn are those that were given."""

import numpy as np
import pytest
from figure_support import assert_readable
from scipy import stats

from paperlib.plotting.labelling import draw_learning_curves

CURVES = {
    "random": {5: [0.5, 0.6, 0.55], 10: [0.7, 0.72, 0.8], 20: [0.8, 0.85, 0.83]},
    "lowest RPR first": {5: [0.5, 0.6, 0.58], 10: [0.75, 0.72, 0.8], 20: [0.8, 0.82, 0.81]},
    "highest entropy first": {5: [0.52], 10: [0.71]},
}


def test_means_have_students_intervals_and_runs_their_lines():
    figure = draw_learning_curves(CURVES)
    (axis,) = figure.axes
    for (means, _, (bars,)), found in zip(axis.containers, CURVES.values(), strict=True):
        assert list(means.get_ydata()) == pytest.approx([np.mean(values) for values in found.values()])
        # Beside the others, but nearer to its own number of volumes than to any other.
        assert np.rint(means.get_xdata()).tolist() == list(found)
        for segment, values in zip(bars.get_segments(), found.values(), strict=True):
            low, high = np.mean(values), np.mean(values)
            if len(values) > 1:
                low, high = stats.t.interval(0.95, len(values) - 1, loc=low, scale=stats.sem(values))
            assert segment[:, 1] == pytest.approx([low, high])
    thin = [line for line in axis.lines if line.get_linewidth() < 1 and line.get_alpha()]
    assert [list(line.get_ydata()) for line in thin[:3]] == [[0.5, 0.7, 0.8], [0.6, 0.72, 0.85], [0.55, 0.8, 0.83]]
    assert len(thin) == 7
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(CURVES)
    assert list(axis.get_xticks()) == [5, 10, 20]
    assert_readable(figure)


def test_strategies_stand_side_by_side():
    (axis,) = draw_learning_curves(CURVES).axes
    first, second, third = (container[0].get_xdata()[0] for container in axis.containers)
    assert first < second == 5 < third


def test_a_single_number_of_volumes_is_drawn():
    (axis,) = draw_learning_curves({"random": {5: [0.5, 0.6]}}).axes
    assert list(axis.containers[0][0].get_xdata()) == [5]
