"""Figures of costs show the numbers that they were given."""

import pytest

from paperlib.costs.products import ProductCost
from paperlib.costs.solvers import SolverCost
from paperlib.plotting.costs import draw_growth, draw_product_costs, draw_solver_costs

WAYS = {
    "product": ["frozen network", "frozen network, bits", "torch.func.jvp", "torch.func.linearize, kept"],
    "adjoint": ["frozen network", "frozen network, bits", "torch.func.vjp", "torch.func.vjp, kept"],
}


def cost(solver: str, seconds: float, products: int = 50, converged: bool = True) -> SolverCost:
    return SolverCost(solver, seconds, 0.25 * seconds, products, 1e-5, 10.0, (2.0, 1.0), converged)


def test_a_bar_for_each_solver_and_what_did_not_converge_is_named():
    figure = draw_solver_costs([cost("lanczos", 1.0), cost("slepc cross", 40.0, 80), cost("scipy arpack", 3, 9, False)])
    seconds, products, memory = figure.axes
    names = [label.get_text() for label in seconds.get_yticklabels()]
    assert names == ["lanczos", "slepc cross", "scipy arpack (not converged)"]
    # Three bars, and three pale ends from where the check started.
    assert [bar.get_width() for bar in seconds.patches] == [1, 40, 3, 0.25, 10, 0.75]
    assert [bar.get_x() for bar in seconds.patches[3:]] == [0.75, 30, 2.25]
    assert [bar.get_width() for bar in products.patches] == [50, 80, 9]
    assert {text.get_text() for text in seconds.texts} == {"1.0", "40", "3.0"}
    assert len(memory.patches) == 3


def test_products_in_both_directions_with_their_ranges():
    costs = [
        ProductCost(way, direction, 0.002, 0.001, 0.004, 10.0 + i, 20.0, 0.0)
        for direction, ways in WAYS.items()
        for i, way in enumerate(ways)
    ]
    figure = draw_product_costs(costs)
    assert [axis.get_title(loc="left") for axis in figure.axes[::2]] == ["$A\\,v$", "$A^Tz$"]
    for axis, ways in zip(figure.axes[::2], WAYS.values(), strict=True):
        assert [label.get_text() for label in axis.get_yticklabels()] == ways
        assert [bar.get_width() for bar in axis.patches] == pytest.approx([2.0] * 4)
    assert [bar.get_width() for bar in figure.axes[1].patches] == [10, 11, 12, 13]


def test_growth_has_a_line_for_each_solver_over_the_values_that_it_has():
    by_side = {16: [cost("lanczos", 1.0), cost("slepc cross", 2.0)], 32: [cost("lanczos", 8.0)]}
    by_rank = {1: [cost("lanczos", 1.0, 9)], 10: [cost("lanczos", 2.0, 30)]}
    figure = draw_growth({"side": by_side, "k": by_rank}, {"side": "voxels a side", "k": "triplets"})
    seconds, _, products, rank_products = figure.axes
    assert [line.get_label() for line in seconds.lines] == ["lanczos", "slepc cross"]
    assert list(seconds.lines[0].get_ydata()) == [0.75, 6.0]
    assert list(seconds.lines[1].get_xdata()) == [16]
    assert list(rank_products.lines[0].get_ydata()) == [9, 30]
    assert products.get_xlabel() == "voxels a side" and rank_products.get_xlabel() == "triplets"
    assert [label.get_text() for label in products.get_xticklabels()] == ["16", "32"]
