"""Statistics of the SVR: internal dimensions by width, planted blocks under noise, coefficients of random layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter, ScalarFormatter

from paperlib.plotting.style import BASELINE, NETWORK_COLOURS, style

# A mean with the ends of its interval: "mean", "low", "high".
Point = Mapping[str, float]
Width = int | str
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MARKS = "os^Dv"


def draw_internal_dimensions(
    panels: Mapping[str, Mapping[Width, Mapping[str, Mapping[str, Point]]]],
    chance: Mapping[Width, Mapping[str, Mapping[str, Point]]],
    untrained: Mapping[Width, Mapping[str, Mapping[str, Point]]],
    pairs: Mapping[str, str],
) -> Figure:
    """Internal dimensions against the width: a row for each of ``pairs`` (names to titles), a column for each training.

    ``panels[training][width][pair][number]``, ``chance[width][pair][number]`` and ``untrained`` alike are points of
    ``d_out`` and ``d_in``; the range of chance is shaded, its mean dashed, the means of untrained networks are crosses.
    Both axes are logarithmic: a dimension that grows with the width rises, one in proportion to it as steeply as the
    mean of chance.
    """
    numbers = {"d_out": r"$d_{out}$", "d_in": r"$d_{in}$"}
    with style():
        size = (8.4, 2.5 * len(pairs) + 0.5)
        figure, axes = plt.subplots(len(pairs), len(panels), figsize=size, sharex=True, sharey=True, squeeze=False)
        for row, (pair, title) in zip(axes, pairs.items(), strict=True):
            for axis, widths in zip(row, panels.values(), strict=True):
                for place, (number, name) in enumerate(numbers.items()):
                    colour = NETWORK_COLOURS[place]
                    _band(axis, {n: found[pair][number] for n, found in chance.items()}, colour, f"{name}, chance")
                    _crosses(axis, {n: found[pair][number] for n, found in untrained.items()}, colour, name)
                    # Side by side, and the second hollow: often the two are equal.
                    _line(
                        axis, {n: found[pair][number] for n, found in widths.items()}, colour, _MARKS[place], name,
                        shift=(0.97, 1.03)[place], hollow=place == 1,
                    )  # fmt: skip
                axis.set_yscale("log")
                _whole_numbers(axis.yaxis, _TICKS)
                axis.set_ylim(0.9, 1.1 * max(_widths(chance)))
                _log_widths(axis, widths)
            row[0].set_ylabel(f"{title}\ninternal dimension")
        for axis, training in zip(axes[0], panels, strict=True):
            axis.set_title(training, fontsize=9)
        for axis in axes[-1]:
            axis.set_xlabel("width n")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
        plt.close(figure)
    return figure


def draw_sweep(
    accuracy: Mapping[str, Mapping[Width, Point]],
    excess: Mapping[str, Mapping[str, Mapping[Width, Point]]],
    chance: Mapping[str, Mapping[Width, Point]],
    untrained: Mapping[str, Mapping[Width, Point]],
) -> Figure:
    """Test accuracy and excess against the width, a line for each training.

    ``accuracy[training]`` are points in [0, 1] by width; ``excess[title][training]`` has a panel for each title, with
    the range of chance in ``chance[title]`` shaded and the means of ``untrained[title]`` as crosses.
    """
    with style():
        figure, axes = plt.subplots(1, 1 + len(excess), figsize=(8.4, 3.0))
        for place, (training, widths) in enumerate(accuracy.items()):
            _line(axes[0], widths, NETWORK_COLOURS[place], _MARKS[place], training)
            _log_widths(axes[0], widths)
        axes[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        # Intervals of few networks may reach beyond what an accuracy can be.
        axes[0].set_ylim(top=min(1.0, axes[0].get_ylim()[1]))
        axes[0].set_ylabel("test accuracy")
        for axis, (title, trainings) in zip(axes[1:], excess.items(), strict=True):
            _band(axis, chance[title], "0.4", "chance")
            _crosses(axis, untrained[title], "0.2")
            for place, (training, widths) in enumerate(trainings.items()):
                _line(axis, widths, NETWORK_COLOURS[place], _MARKS[place], training)
                _log_widths(axis, widths)
            axis.set_title(title, fontsize=9)
            axis.set_ylabel("excess of the overlap")
            axis.set_ylim(bottom=0)
        for axis in axes:
            axis.set_xlabel("width n")
        figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
        plt.close(figure)
    return figure


def draw_planted_blocks(
    epsilons: Sequence[float],
    d_out: Mapping[int, Sequence[Point]],
    excess: Mapping[int, Sequence[Point]],
    predicted: Mapping[int, Sequence[float]],
    chance: Mapping[str, Point],
) -> Figure:
    """``d_out`` and excess against the noise for each planted p (`svr`, Figure 9).

    Means with their intervals shaded; ``predicted`` excess is dotted. ``chance["d_out"]`` and ``chance["excess"]``
    give mean and range of unstructured matrices, in grey.
    """
    colours = sns.color_palette("viridis", len(d_out) + 1)
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6))
        for axis, panel, name in zip(axes, (d_out, excess), ("d_out", "excess"), strict=True):
            axis.axhspan(chance[name]["low"], chance[name]["high"], color="0.85", label="chance, 95 %")
            axis.axhline(chance[name]["mean"], **BASELINE, label="chance, mean")
            for place, (p, points) in enumerate(panel.items()):
                found = np.array([[point[end] for end in ("mean", "low", "high")] for point in points]).T
                axis.fill_between(epsilons, found[1], found[2], color=colours[place], alpha=0.3, linewidth=0)
                axis.plot(
                    epsilons, found[0], f"-{_MARKS[place % 5]}", color=colours[place], markersize=3, label=f"p = {p}"
                )
            axis.set_xlabel(r"noise $\epsilon$")
        for place, values in enumerate(predicted.values()):
            axes[1].plot(epsilons, values, ":", color=colours[place], linewidth=1.2)
        # Dotted in the legend too, for all of them at once.
        axes[0].plot([], [], ":", color="0.2", linewidth=1.2, label="prediction")
        axes[0].set_ylabel(r"$d_{out}$")
        axes[1].set_ylabel("excess of the overlap")
        axes[1].set_yscale("log")
        axes[1].set_ylim(bottom=0.6 * chance["excess"]["low"])
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        plt.close(figure)
    return figure


@dataclass(frozen=True)
class SurvivalPanel:
    """Shares of the coefficients above each of the ``points`` ``(k,)``, with what two laws say.

    ``measured`` is ``(2, k)``, mean and standard error; ``limit`` and ``exact`` are ``(k,)``.
    """

    title: str
    points: np.ndarray
    measured: np.ndarray
    limit: np.ndarray
    exact: np.ndarray


def draw_survival(panels: Sequence[SurvivalPanel], columns: int = 4) -> Figure:
    """Survival functions of scaled adjacency coefficients on a logarithmic scale (`svr`, Figures 10 and 11).

    Dots with four standard errors, the chi-square limit as a line and the other law dashed.
    """
    rows = -(-len(panels) // columns)
    with style():
        figure, axes = plt.subplots(rows, columns, figsize=(8.4, 1.9 * rows + 0.5), sharey=True, squeeze=False)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        for axis, panel in zip(axes.flat, panels, strict=False):
            axis.plot(panel.points, panel.limit, color=NETWORK_COLOURS[1], linewidth=1.4, label=r"$\chi^2$, the limit")
            axis.plot(panel.points, panel.exact, "--", color="0.1", linewidth=1.1, label="Beta")
            mean, error = panel.measured
            seen = mean > 0
            low = np.minimum(4 * error, 0.999 * mean)[seen]
            axis.errorbar(
                panel.points[seen], mean[seen], [low, 4 * error[seen]], fmt="o", markersize=2.4, elinewidth=0.7,
                color=NETWORK_COLOURS[0], label="random layers",
            )  # fmt: skip
            axis.set_yscale("log")
            axis.set_ylim(1e-5, 1.6)
            axis.set_title(panel.title, fontsize=8)
        for axis in axes[:, 0]:
            axis.set_ylabel("share above")
        for axis in axes.flat[max(0, len(panels) - columns) : len(panels)]:
            axis.set_xlabel("scaled coefficient")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        plt.close(figure)
    return figure


def draw_law_distances(distances: Mapping[str, Mapping[int, float]]) -> Figure:
    """Distance of the exact null law from its limit against the channels, a line for each kernel, beside ``1 / c``."""
    with style():
        figure, axis = plt.subplots(figsize=(5.2, 3.2))
        for place, (name, values) in enumerate(distances.items()):
            colour = NETWORK_COLOURS[place % len(NETWORK_COLOURS)]
            axis.plot(
                list(values), list(values.values()), f"-{_MARKS[place % 5]}", color=colour, markersize=4, label=name
            )
        channels = sorted({c for values in distances.values() for c in values})
        axis.plot(channels, [0.2 / c for c in channels], **BASELINE, label="slope of 1 / c")
        axis.set_xscale("log")
        axis.set_yscale("log")
        _whole_numbers(axis.xaxis, channels)
        axis.set_xlabel("channels c")
        axis.set_ylabel("Kolmogorov-Smirnov distance")
        axis.legend()
        plt.close(figure)
    return figure


def _line(
    axis: Axes,
    points: Mapping[Width, Point],
    colour: str,
    mark: str,
    label: str,
    shift: float = 1.0,
    hollow: bool = False,
) -> None:
    mean, low, high = (np.array([point[end] for point in points.values()]) for end in ("mean", "low", "high"))
    axis.errorbar(
        np.array(_widths(points)) * shift, mean, [mean - low, high - mean], fmt=f"-{mark}", color=colour, linewidth=1.2,
        markersize=4, markerfacecolor="white" if hollow else colour, capsize=2, label=label,
    )  # fmt: skip


def _band(axis: Axes, points: Mapping[Width, Point], colour: str, label: str) -> None:
    widths = _widths(points)
    low, high = ([point[end] for point in points.values()] for end in ("low", "high"))
    axis.fill_between(widths, low, high, color=colour, alpha=0.15, linewidth=0)
    axis.plot(widths, [point["mean"] for point in points.values()], "--", color=colour, linewidth=1.0, label=label)


def _crosses(axis: Axes, points: Mapping[Width, Point], colour: str, name: str = "") -> None:
    means = [point["mean"] for point in points.values()]
    label = f"{name}, untrained" if name else "untrained"
    axis.plot(_widths(points), means, "x", color=colour, markersize=4, markeredgewidth=0.9, label=label)


def _log_widths(axis: Axes, widths: Mapping[Width, object]) -> None:
    numbers = sorted(_widths(widths))
    axis.set_xscale("log")
    axis.set_xlim(numbers[0] / 1.15, numbers[-1] * 1.15)
    # From the largest down, those that leave room for their numbers.
    ticks = [numbers[-1]]
    for number in reversed(numbers):
        if ticks[-1] / number > 1.6:
            ticks.append(number)
    _whole_numbers(axis.xaxis, ticks)


def _widths(points: Mapping[Width, object]) -> list[int]:
    """The widths as numbers; in a recorded result they are names."""
    return [int(width) for width in points]


def _whole_numbers(side: Axis, ticks: Sequence[int]) -> None:
    side.set_major_locator(FixedLocator(ticks))
    side.set_minor_locator(NullLocator())
    side.set_major_formatter(ScalarFormatter())
