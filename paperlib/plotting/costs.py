"""What solvers and products cost, side by side, and how the cost grows."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter, StrMethodFormatter

from paperlib.costs.products import ProductCost
from paperlib.costs.solvers import OWN, SolverCost
from paperlib.plotting.style import NETWORK_COLOURS, style

_OURS, _OTHERS = NETWORK_COLOURS[:2]
_MARKERS = "os^D"


def draw_solver_costs(costs: Sequence[SolverCost]) -> Figure:
    """Seconds, products and memory of each solver as bars; the pale end of a bar is the check of the residuals.

    A solver that did not reach the tolerance is named so.
    """
    names = [cost.solver + ("" if cost.converged else " (not converged)") for cost in costs]
    colours = [_OURS if cost.solver in OWN else _OTHERS for cost in costs]
    panels = {
        "seconds": [cost.seconds for cost in costs],
        "products with $A$ and $A^T$": [cost.products for cost in costs],
        "memory [MiB]": [cost.peak_mib for cost in costs],
    }
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(8.4, 0.28 * len(costs) + 0.9), sharey=True)
        for axis, (label, values) in zip(axes, panels.items(), strict=True):
            bars = axis.barh(names, values, color=colours)
            axis.bar_label(bars, [_short(value) for value in values], padding=3, fontsize=7)
            axis.set(xlabel=label, xscale="log")
            axis.set_xlim(min(values) / 3, 5 * max(values))
            _plain_powers(axis.xaxis)
            axis.grid(axis="y", visible=False)
        checks = [cost.check_seconds for cost in costs]
        starts = [cost.solver_seconds for cost in costs]
        axes[0].barh(names, checks, left=starts, color="white", alpha=0.55)
        axes[0].invert_yaxis()
        plt.close(figure)
    return figure


def draw_product_costs(costs: Sequence[ProductCost], title: str = "") -> Figure:
    """Milliseconds (bars, with the range over the rounds) and memory of each way to a product, both directions."""
    with style():
        figure, axes = plt.subplots(2, 2, figsize=(8.4, 3.4), sharex="col")
        for row, (direction, label) in zip(axes, {"product": "$A\\,v$", "adjoint": "$A^Tz$"}.items(), strict=True):
            chosen = [cost for cost in costs if cost.direction == direction]
            names = [cost.way for cost in chosen]
            colours = [_OURS if cost.way.startswith("frozen") else _OTHERS for cost in chosen]
            seconds = [1000 * cost.seconds for cost in chosen]
            ranges = [
                [1000 * (cost.seconds - cost.fastest) for cost in chosen],
                [1000 * (cost.slowest - cost.seconds) for cost in chosen],
            ]
            row[0].barh(names, seconds, xerr=ranges, color=colours, error_kw={"elinewidth": 0.8})
            row[1].barh(names, [cost.product_mib for cost in chosen], color=colours)
            row[0].set_title(label, loc="left")
            row[1].set_yticklabels([])
            for axis in row:
                axis.invert_yaxis()
                axis.grid(axis="y", visible=False)
        axes[1, 0].set_xlabel("milliseconds")
        axes[1, 1].set_xlabel("memory during a product [MiB]")
        if title:
            figure.suptitle(title, fontsize=10)
        plt.close(figure)
    return figure


def draw_growth(found: Mapping[str, Mapping[int, Sequence[SolverCost]]], labels: Mapping[str, str]) -> Figure:
    """Seconds and products against each field of the problem (a row of ``found``), a line for each solver.

    Logarithmic, but for the products; a field's axis carries its label.
    """
    with style():
        figure, axes = plt.subplots(2, len(found), figsize=(8.4, 4.6), squeeze=False, sharex="col")
        for column, (field, costs) in zip(axes.T, found.items(), strict=True):
            _growth(column[0], costs, "solver_seconds")
            column[0].set_yscale("log")
            low, high = column[0].get_ylim()
            column[0].set_ylim(low / 2, 2 * high)
            _plain_powers(column[0].yaxis)
            _growth(column[1], costs, "products")
            column[1].set_ylim(0, 1.05 * column[1].get_ylim()[1])
            column[1].set_xlabel(labels[field])
            column[1].xaxis.set_major_locator(FixedLocator(list(costs)))
            column[1].xaxis.set_minor_locator(NullLocator())
            column[1].xaxis.set_major_formatter(ScalarFormatter())
        axes[0, 0].set_ylabel("seconds")
        axes[1, 0].set_ylabel("products")
        axes[0, 0].legend()
        plt.close(figure)
    return figure


def _growth(axis: Axes, costs: Mapping[int, Sequence[SolverCost]], quantity: str) -> None:
    solvers = list(dict.fromkeys(cost.solver for row in costs.values() for cost in row))
    for solver, colour, marker in zip(solvers, NETWORK_COLOURS, _MARKERS, strict=False):
        points = [
            (value, getattr(cost, quantity)) for value, row in costs.items() for cost in row if cost.solver == solver
        ]
        axis.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=4, label=solver)
    axis.set_xscale("log")


def _plain_powers(axis: Axis) -> None:
    """Powers of ten as plain numbers, and nothing between them."""
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
