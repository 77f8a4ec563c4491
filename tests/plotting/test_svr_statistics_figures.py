"""Figures of the statistics of the SVR from planted numbers: everything given is drawn, and nothing is left open."""

import json

import matplotlib as mpl
import numpy as np
import pytest

from paperlib.plotting.svr_statistics import (
    SurvivalPanel,
    draw_internal_dimensions,
    draw_law_distances,
    draw_planted_blocks,
    draw_survival,
    draw_sweep,
)


def point(mean: float, reach: float = 0.5) -> dict[str, float]:
    return {"mean": mean, "low": mean - reach, "high": mean + reach}


def panel(slope: float) -> dict[int, dict]:
    return {
        n: {pair: {"d_out": point(slope * n), "d_in": point(slope * n + 1)} for pair in ("first", "second")}
        for n in (5, 50, 75, 100)
    }


def drawn(figure) -> list[str]:
    """All words of the figure, after a real drawing, which fails where a label or a limit cannot be set."""
    figure.canvas.draw()
    assert figure.get_figwidth() <= 8.5
    return [text.get_text() for text in figure.findobj(mpl.text.Text) if text.get_text()]


def means(axis) -> list[list[float]]:
    """The y values of the lines with error bars."""
    return [container.lines[0].get_ydata().tolist() for container in axis.containers]


def test_internal_dimensions_have_a_panel_for_each_adjacency_and_training():
    trainings = {"slow": panel(0.2), "fast": panel(0.4)}
    pairs = {"first": "one adjacency", "second": "another"}
    figure = draw_internal_dimensions(trainings, panel(0.5), panel(0.6), pairs)
    words = drawn(figure)
    assert len(figure.axes) == 4 and {"slow", "fast"} <= set(words)
    assert any("one adjacency" in word for word in words) and any("another" in word for word in words)
    for axis, slope in zip(figure.axes, (0.2, 0.4, 0.2, 0.4), strict=True):
        assert means(axis) == [pytest.approx([slope * n + extra for n in (5, 50, 75, 100)]) for extra in (0, 1)]
        assert axis.get_xscale() == axis.get_yscale() == "log"
        crosses = [list(line.get_ydata()) for line in axis.get_lines() if line.get_marker() == "x"]
        assert crosses == [pytest.approx([0.6 * n + extra for n in (5, 50, 75, 100)]) for extra in (0, 1)]
        bands = [line for line in axis.get_lines() if line.get_linestyle() == "--"]
        assert [list(line.get_ydata()) for line in bands] == [
            pytest.approx([0.5 * n + extra for n in (5, 50, 75, 100)]) for extra in (0, 1)
        ]


def test_widths_that_are_close_are_not_both_named():
    figure = draw_internal_dimensions({"a": panel(0.2)}, panel(0.5), panel(0.5), {"first": "one"})
    figure.canvas.draw()
    shown = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert [float(text) for text in shown] == [100, 50, 5]


def test_recorded_results_with_names_for_widths_draw_the_same():
    given = [{"a": panel(0.2)}, panel(0.5), panel(0.6)]
    first = draw_internal_dimensions(*given, {"first": "one"})
    second = draw_internal_dimensions(*json.loads(json.dumps(given)), {"first": "one"})
    for a, b in zip(first.axes[0].get_lines(), second.axes[0].get_lines(), strict=True):
        assert np.array_equal(a.get_xydata(), b.get_xydata())


def test_accuracies_and_excess_are_beside_each_other():
    accuracy = {"a": {5: point(0.99, 0.3), 20: point(0.9, 0.01)}, "b": {5: point(0.7, 0.1), 20: point(0.8, 0.1)}}
    excess = {"first": {"a": {5: point(1), 20: point(5)}, "b": {5: point(2), 20: point(6)}}}
    untrained = {"first": {5: point(0.5), 20: point(0.4)}}
    figure = draw_sweep(accuracy, excess, {"first": {5: point(0.6), 20: point(0.7)}}, untrained)
    words = drawn(figure)
    assert {"a", "b", "chance", "untrained", "first", "test accuracy"} <= set(words)
    # No accuracy is above 1, however wide its interval.
    assert figure.axes[0].get_ylim()[1] <= 1.0
    assert means(figure.axes[0]) == [[0.99, 0.9], [0.7, 0.8]] and means(figure.axes[1]) == [[1, 5], [2, 6]]


def test_planted_blocks_have_a_line_for_each_size():
    epsilons = [0.0, 0.1, 0.2]
    d_out = {10: [point(10), point(20), point(50)], 90: [point(90), point(60), point(50)]}
    excess = {p: [point(9, 0.1), point(2, 0.1), point(0.6, 0.1)] for p in d_out}
    predicted = {p: [9.0, 1.5, 0.01] for p in d_out}
    chance = {"d_out": point(50, 40), "excess": point(0.6, 0.4)}
    figure = draw_planted_blocks(epsilons, d_out, excess, predicted, chance)
    assert {"p = 10", "p = 90", "chance, 95 %", "prediction"} <= set(drawn(figure))
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].get_lines()}
    assert lines["p = 10"] == [10, 20, 50] and lines["p = 90"] == [90, 60, 50]
    dotted = [line for line in figure.axes[1].get_lines() if line.get_linestyle() == ":"]
    assert [list(line.get_ydata()) for line in dotted] == [[9.0, 1.5, 0.01]] * 2
    assert figure.axes[1].get_yscale() == "log"


def survival(title: str) -> SurvivalPanel:
    points = np.array([1.0, 2.0, 3.0])
    measured = np.array([[0.5, 0.1, 0.0], [0.05, 0.05, 0.0]])
    return SurvivalPanel(title, points, measured, np.array([0.6, 0.2, 1e-4]), np.array([0.5, 0.1, 1e-5]))


def test_survival_functions_have_a_panel_each_and_leave_out_what_was_never_seen():
    figure = draw_survival([survival(f"panel {k}") for k in range(5)], columns=3)
    words = drawn(figure)
    assert {f"panel {k}" for k in range(5)} <= set(words) and "random layers" in words
    assert [axis.axison for axis in figure.axes] == [True] * 5 + [False]
    axis = figure.axes[0]
    assert means(axis) == [[0.5, 0.1]]
    assert [list(line.get_ydata()) for line in axis.get_lines()[:2]] == [[0.6, 0.2, 1e-4], [0.5, 0.1, 1e-5]]
    # Four standard errors down from 0.1 would be below 0, which a logarithmic axis cannot show.
    ends = axis.containers[0].lines[2][0].get_segments()
    assert ends[1][0][1] > 0 and ends[1][1][1] == pytest.approx(0.3)


def test_distances_fall_beside_their_slope():
    figure = draw_law_distances({"1 x 1": {4: 0.08, 40: 0.008}, "3 x 3": {4: 0.05, 40: 0.004}})
    assert {"1 x 1", "3 x 3", "slope of 1 / c", "channels c"} <= set(drawn(figure))
    slope = figure.axes[0].get_lines()[-1].get_ydata()
    assert slope[0] / slope[1] == pytest.approx(10)
