"""Shifts and learning curves: means, ends and runs drawn are those that were given."""

import numpy as np
import pytest
from figure_support import assert_readable
from scipy import stats

from paperlib.plotting.labelling import draw_learning_curves, draw_shift_curves


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
