"""Rank correlations with their intervals: over conditions, and over the number of triplets."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import BASELINE, FOLD_COLOURS, FOLD_MARKS, NETWORK_COLOURS, legend_columns, style
from paperlib.rank_correlation import RankCorrelation, chance_range

_POSITIVE, _NEGATIVE, _OPEN = NETWORK_COLOURS[0], NETWORK_COLOURS[1], "0.45"
# Inches that a row and a panel's frame take.
_ROW, _FRAME = 0.23, 0.95


def draw_correlations(
    groups: Mapping[str, Mapping[str, RankCorrelation]], *, label: str = "rank correlation of Dice with RPR"
) -> Figure:
    """A row for each named correlation under the heading of its group, with its interval.

    Intervals above 0 are blue with a filled dot, those below 0 red with a filled square, those that hold 0 grey with a
    hollow dot. At the right stand the numbers and the count of pairs. The pale bar of a row is where 95 % of the
    correlations of as many independent pairs lie (`paperlib.rank_correlation.chance_range`). A correlation that is not
    defined (NaN) is named so.
    """
    rows = sum(1 + len(members) for members in groups.values())
    with style():
        figure, axis = plt.subplots(figsize=(8.2, _ROW * rows + _FRAME))
        _beside(axis, 0, "  rho [  low,  high] pairs", weight="bold")
        ticks: list[tuple[int, str]] = []
        place = 0
        for heading, members in groups.items():
            axis.text(
                -0.01, place, heading, transform=axis.get_yaxis_transform(), ha="right", va="center", weight="bold"
            )
            for name, found in members.items():
                place += 1
                ticks.append((place, name))
                _row(axis, place, found)
            place += 1
        axis.set_yticks(*zip(*ticks, strict=True), fontsize=8.5)
        axis.tick_params(axis="y", length=0)
        axis.set_ylim(rows - 0.4, -0.6)
        axis.axvline(0, color="0.2", linewidth=1.0, zorder=1)
        axis.grid(axis="y", visible=False)
        axis.set_xlim(*_limits([found for members in groups.values() for found in members.values()]))
        axis.set_xlabel(label)
        plt.close(figure)
    return figure


def _row(axis: Axes, place: int, found: RankCorrelation) -> None:
    axis.barh(place, 2 * chance_range(found.count)[1], 0.72, chance_range(found.count)[0], color="0.92", zorder=0.5)
    if math.isnan(found.value):
        _beside(axis, place, "not defined")
        return
    colour, mark = _look(found)
    axis.plot([found.low, found.high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
    inside = "white" if colour == _OPEN else colour
    axis.plot([found.value], [place], mark, color=colour, markersize=5.5, markerfacecolor=inside)
    value, low, high = (f"{number:z5.2f}".replace("-", "−") for number in (found.value, found.low, found.high))
    _beside(axis, place, f"{value} [{low}, {high}] {found.count:5,d}")


def _beside(axis: Axes, place: int, text: str, **look: str) -> None:
    """A line of the table to the right of the rows; its letters are of one width, so that the numbers align."""
    axis.text(
        1.015, place, text, transform=axis.get_yaxis_transform(), va="center", fontsize=8, family="monospace", **look
    )


def _look(found: RankCorrelation) -> tuple[str, str]:
    if found.low > 0:
        return _POSITIVE, "o"
    return (_NEGATIVE, "s") if found.high < 0 else (_OPEN, "o")


def _limits(found: Sequence[RankCorrelation]) -> tuple[float, float]:
    """Just beyond all intervals and chance, to the next tenth, and never beyond what a correlation can be."""
    ends = [end for one in found for end in chance_range(one.count)]
    ends += [end for one in found if not math.isnan(one.value) for end in (one.low, one.high)]
    low, high = math.floor(10 * min(ends) - 0.2) / 10, math.ceil(10 * max(ends) + 0.2) / 10
    return max(low, -1.02), min(high, 1.02)


def draw_correlation_by_rank(
    curves: Mapping[str, Sequence[RankCorrelation]], *, label: str = "rank correlation of Dice with RPR"
) -> Figure:
    """Correlation against the number of triplets k = 1, 2, ..., with the interval as a band, for each named curve."""
    with style():
        figure, axis = plt.subplots(figsize=(6.6, 3.8))
        axis.axhline(0, **BASELINE)
        for place, (name, found) in enumerate(curves.items()):
            colour, mark = FOLD_COLOURS[place % len(FOLD_COLOURS)], FOLD_MARKS[place % len(FOLD_MARKS)]
            ranks = range(1, len(found) + 1)
            axis.fill_between(
                ranks, [one.low for one in found], [one.high for one in found], color=colour, alpha=0.12, linewidth=0
            )
            axis.plot(ranks, [one.value for one in found], color=colour, marker=mark, markersize=4, label=name)
        longest = max(map(len, curves.values()))
        axis.set_xticks(range(1, longest + 1))
        axis.set(xlabel="number of triplets k", ylabel=label)
        handles, labels = axis.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=legend_columns(labels, 6.4))
        plt.close(figure)
    return figure
