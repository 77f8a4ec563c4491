"""Rows of tables from planted curves."""

import dataclasses
import math

from test_learning_curves import planted

from paperlib.segmentation.labelling_tables import AREA_HEADER, RANKING_HEADER, area_rows, ranked, ranking_rows


def test_a_row_for_each_strategy_with_its_difference_from_chance():
    curves = planted()
    rpr, random = area_rows(curves)
    difference = curves.difference("rpr")
    assert rpr[:2] == ["rpr", f"{curves.area('rpr').mean():.4f}"] and rpr[3] == "0.8000"
    assert rpr[2] == f"{difference.mean:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
    assert (random[0], random[2], random[4]) == ("random", "", "") and len(AREA_HEADER) == len(rpr) == len(random)


def test_without_chance_there_are_no_differences():
    curves = dataclasses.replace(planted(), strategies=("rpr",))
    assert area_rows(curves) == [["rpr", f"{curves.area('rpr').mean():.4f}", "", "0.8000", ""]]


def test_rankings_name_what_is_not_defined():
    curves = planted()
    assert ranked(curves) == ["rpr"] and len(RANKING_HEADER) == 5
    assert ranking_rows(curves) == [["rpr", "-0.60", "-0.50, -0.60, -0.70", "0.500", "none"]]
    rounds = tuple(dataclasses.replace(row, score_correlation=math.nan) for row in curves.rounds)
    assert ranking_rows(dataclasses.replace(curves, rounds=rounds))[0][1:3] == ["none", "none, none, none"]
