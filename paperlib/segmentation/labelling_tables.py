"""Rows of the two tables that sum up a study of what to label: the curves, and what the first ranking found."""

import math

from paperlib.intervals import Mean
from paperlib.segmentation.learning_curves import LearningCurves

AREA_HEADER = ("strategy", "area", "area less random's", "last Dice", "less random's")
RANKING_HEADER = ("strategy", "correlation", "of single seeds", "Dice, chosen", "Dice, all")
_RANDOM = "random"


def ranked(curves: LearningCurves) -> list[str]:
    """The strategies that rank the pool, which is all but the random one."""
    return [name for name in curves.strategies if name != _RANDOM]


def area_rows(curves: LearningCurves) -> list[list[str]]:
    """Below `AREA_HEADER` a row for each strategy; differences, with intervals, where the random one was run too."""
    compared = ranked(curves) if _RANDOM in curves.strategies else []
    return [
        [
            name,
            f"{curves.area(name).mean():.4f}",
            _interval(curves.difference(name)) if name in compared else "",
            f"{curves.dice(name)[:, -1].mean():.4f}",
            _interval(curves.end_difference(name)) if name in compared else "",
        ]
        for name in curves.strategies
    ]


def ranking_rows(curves: LearningCurves) -> list[list[str]]:
    """Below `RANKING_HEADER` a row for each strategy that ranks; ``none`` where a seed has no correlation."""
    return [
        [
            name,
            _number(curves.first_mean(name, "score_correlation"), "+.2f"),
            ", ".join(_number(value, "+.2f") for value in curves.first_round(name, "score_correlation")),
            _number(curves.first_mean(name, "chosen_dice"), ".3f"),
            _number(curves.first_mean(name, "rest_dice"), ".3f"),
        ]
        for name in ranked(curves)
    ]


def _interval(found: Mean) -> str:
    return f"{found.mean:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def _number(value: float | None, form: str) -> str:
    return "none" if value is None or math.isnan(value) else format(value, form)
