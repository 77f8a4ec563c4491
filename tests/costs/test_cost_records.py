"""Costs come back from a result as they went in."""

import json
from dataclasses import asdict

from paperlib.costs.products import ProductCost, ratios
from paperlib.costs.records import growth_rows, product_rows, solver_rows
from paperlib.costs.solvers import SolverCost

COST = SolverCost("slepc cross", 2.0, 0.5, 80, 1e-5, 10.0, (2.0, 1.0), True)
WAYS = {
    "product": ["frozen network", "frozen network, bits", "torch.func.jvp", "torch.func.linearize, kept"],
    "adjoint": ["frozen network", "frozen network, bits", "torch.func.vjp", "torch.func.vjp, kept"],
}
PRODUCTS = [
    ProductCost(way, direction, 0.5 * (i + 1), 0.1, 0.9, 4.0, 5.0, 0.0)
    for direction, ways in WAYS.items()
    for i, way in enumerate(ways)
]


def test_what_was_recorded_is_read_again():
    values = {
        "products": {3: [asdict(cost) for cost in PRODUCTS]},
        "solvers": {"slepc_cross": asdict(COST)},
        "side": {16: {"slepc_cross": asdict(COST)}},
        "rank": {5: {"slepc_cross": asdict(COST)}},
    }
    values = json.loads(json.dumps(values))
    assert product_rows(values, 3) == PRODUCTS
    assert solver_rows(values) == [COST]
    assert growth_rows(values) == {"side": {16: [COST]}, "k": {5: [COST]}}


def test_ratios_are_those_to_the_frozen_network_of_the_same_direction():
    assert ratios(PRODUCTS, "seconds") == {
        "bits_product": 2.0,
        "bits_adjoint": 2.0,
        "jvp": 3.0,
        "linearize": 4.0,
        "vjp": 3.0,
        "kept_vjp": 4.0,
    }
    assert set(ratios(PRODUCTS, "product_mib").values()) == {1.0}
