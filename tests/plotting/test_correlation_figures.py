"""Correlations as rows and as curves: places, ends, looks and numbers are those of the results."""

import math
from itertools import pairwise

import pytest
from figure_support import assert_readable
from matplotlib.colors import to_hex

from paperlib.plotting.correlations import draw_correlation_by_rank, draw_correlations
from paperlib.rank_correlation import RankCorrelation, chance_range

UP = RankCorrelation(0.42, 0.2, 0.6, 0.0001, 260)
DOWN = RankCorrelation(-0.3, -0.5, -0.1, 0.01, 52)
OPEN = RankCorrelation(-0.001, -0.2, 0.15, 0.9, 1040)
UNDEFINED = RankCorrelation(math.nan, math.nan, math.nan, 1.0, 40)
GROUPS = {
    "training": {"5 volumes": UP, "20 volumes": DOWN},
    "normalisation": {"whole crop": OPEN, "constant": UNDEFINED},
}


def rows(axis):
    """Intervals and dots, row by row; the last line is that at zero."""
    drawn = axis.lines[:-1]
    return list(zip(drawn[::2], drawn[1::2], strict=True))


def test_rows_stand_at_their_names_below_their_headings():
    (axis,) = draw_correlations(GROUPS).axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["5 volumes", "20 volumes", "whole crop", "constant"]
    assert list(axis.get_yticks()) == [1, 2, 4, 5]
    headings = {text.get_text(): text.get_position()[1] for text in axis.texts if text.get_text() in GROUPS}
    assert headings == {"training": 0, "normalisation": 3}
    assert axis.yaxis_inverted()
    for (interval, dot), found, place in zip(rows(axis), (UP, DOWN, OPEN), (1, 2, 4), strict=True):
        assert list(interval.get_xdata()) == [found.low, found.high] and set(interval.get_ydata()) == {place}
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (found.value, place)


def test_looks_tell_whether_the_interval_holds_zero():
    (axis,) = draw_correlations(GROUPS).axes
    (_, up), (_, down), (_, undecided) = rows(axis)
    assert len({to_hex(dot.get_color()) for dot in (up, down, undecided)}) == 3
    assert (up.get_marker(), down.get_marker(), undecided.get_marker()) == ("o", "s", "o")
    assert to_hex(undecided.get_markerfacecolor()) == "#ffffff" != to_hex(up.get_markerfacecolor())


def test_numbers_stand_beside_the_rows():
    (axis,) = draw_correlations(GROUPS).axes
    beside = {text.get_position()[1]: text.get_text() for text in axis.texts if text.get_position()[0] > 1}
    assert beside[1].split() == ["0.42", "[", "0.20,", "0.60]", "260"]
    assert beside[2].split() == ["−0.30", "[−0.50,", "−0.10]", "52"]
    assert beside[4].split() == ["0.00", "[−0.20,", "0.15]", "1,040"]
    assert beside[5] == "not defined"
    assert len({len(beside[place]) for place in (0, 1, 2, 4)}) == 1


def test_the_pale_bar_is_what_chance_gives():
    (axis,) = draw_correlations(GROUPS).axes
    for bar, found, place in zip(axis.patches, (UP, DOWN, OPEN, UNDEFINED), (1, 2, 4, 5), strict=True):
        ends = bar.get_x(), bar.get_x() + bar.get_width()
        assert ends == pytest.approx(chance_range(found.count))
        assert bar.get_y() < place < bar.get_y() + bar.get_height()


@pytest.mark.parametrize("count", [1, 6, 30])
def test_few_and_many_rows_fit(count):
    named = {f"condition number {n}, at length": (UP, DOWN, OPEN)[n % 3] for n in range(count)}
    groups = {"first group": named, "the second group, with a heading of many words": {"one": UP}}
    figure = draw_correlations(groups)
    assert_readable(figure)
    ticks = [text.get_window_extent() for text in figure.axes[0].get_yticklabels()]
    assert not any(high.overlaps(low) for high, low in pairwise(ticks))
    # One page, with room for its caption.
    assert figure.get_size_inches()[1] < 9.5


def test_axes_hold_all_ends_and_never_more_than_a_correlation_can_be():
    wide = RankCorrelation(0.9, -0.97, 0.99, 0.5, 4)
    low, high = draw_correlations({"a": {"b": wide}}).axes[0].get_xlim()
    assert -1.02 <= low < -0.97 and 0.99 < high <= 1.02
    low, high = draw_correlations({"a": {"b": UP}}).axes[0].get_xlim()
    assert low < chance_range(260)[0] and 0.6 < high < 0.8


def test_a_curve_and_a_band_over_the_ranks():
    curves = {"hippocampus, whole crop": [UP] * 10, "phantoms with lesions as in BraTS": [DOWN, OPEN, UP]}
    figure = draw_correlation_by_rank(curves, label="rho")
    (axis,) = figure.axes
    _, first, second = axis.lines
    assert list(first.get_xdata()) == list(range(1, 11)) and set(first.get_ydata()) == {0.42}
    assert list(second.get_ydata()) == [-0.3, -0.001, 0.42]
    (path,) = axis.collections[1].get_paths()
    ends = {tuple(corner) for corner in path.vertices}
    assert {(1, -0.5), (1, -0.1), (2, -0.2), (2, 0.15), (3, 0.2), (3, 0.6)} <= ends
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(curves)
    assert axis.get_ylabel() == "rho" and list(axis.get_xticks()) == list(range(1, 11))
    assert_readable(figure)
