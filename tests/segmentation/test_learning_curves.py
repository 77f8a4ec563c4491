"""Curves, areas and differences of planted rounds."""

import json
import math

import numpy as np
import pytest
from scipy.stats import ttest_rel

from paperlib.segmentation.learning_curves import LabelledRound, LearningCurves

DICE = {
    "rpr": {0: (0.4, 0.6, 0.7), 1: (0.5, 0.5, 0.8), 2: (0.3, 0.6, 0.9)},
    "random": {0: (0.4, 0.5, 0.7), 1: (0.5, 0.6, 0.7), 2: (0.3, 0.3, 0.8)},
}


def planted(counts=(5, 10, 20)) -> LearningCurves:
    rounds = tuple(
        LabelledRound(strategy, seed, step, ("a",), (dice - 0.1, dice + 0.1), ("b",), -0.5 - seed / 10, 0.5, math.nan)
        for strategy, runs in DICE.items()
        for seed, curve in reversed(runs.items())
        for step, dice in enumerate(curve)
    )
    return LearningCurves(counts, ("rpr", "random"), (0, 1, 2), rounds)


def test_curves_are_means_over_test_volumes_in_the_order_of_the_seeds():
    np.testing.assert_allclose(planted().dice("rpr"), list(DICE["rpr"].values()))
    np.testing.assert_allclose(planted().first_round("rpr", "score_correlation"), [-0.5, -0.6, -0.7])
    assert planted().first_mean("rpr", "score_correlation") == pytest.approx(-0.6)
    assert planted().first_mean("rpr", "rest_dice") is None
    assert planted().by_count("random")[20] == pytest.approx([0.7, 0.7, 0.8])


def test_the_area_is_a_mean_over_the_range_of_counts():
    # Trapezia of widths 5 and 10: (0.5 * 5 + 0.65 * 10) / 15 in the first run.
    assert planted().area("rpr")[0] == pytest.approx(0.6)


def test_differences_are_taken_seed_by_seed():
    curves = planted()
    found = curves.difference("rpr")
    tested = ttest_rel(curves.area("rpr"), curves.area("random")).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(tested.low), pytest.approx(tested.high))
    assert found.count == 3 and found.mean == pytest.approx((curves.area("rpr") - curves.area("random")).mean())
    assert curves.end_difference("rpr").mean == pytest.approx((0 + 0.1 + 0.1) / 3)
    assert curves.difference("random", "rpr").mean == pytest.approx(-found.mean)


def test_a_network_that_strategies_share_began_again_once():
    rows = [
        LabelledRound(name, 0, 0, ("a", "b"), (0.5,), ("c",), 0.0, 0.5, 0.5, restarts=2) for name in ("rpr", "random")
    ]
    later = LabelledRound("rpr", 0, 1, ("a", "b", "c"), (0.5,), (), 0.0, 0.5, 0.5, restarts=1)
    assert LearningCurves((2, 3), ("rpr", "random"), (0,), (*rows, later)).restarts == 3
    assert planted().restarts == 0


def test_curves_survive_json():
    values = json.loads(json.dumps(planted().as_dict(), allow_nan=False))
    again = LearningCurves.from_dict(values)
    assert again.as_dict() == planted().as_dict()
    assert math.isnan(again.rounds[0].rest_dice) and again.rounds[0].labelled == ("a",)
