"""Costs from the values of a result (`paperlib.engine`), as they were before they were recorded."""

from collections.abc import Mapping

from paperlib.costs.products import ProductCost
from paperlib.costs.solvers import SolverCost


def product_rows(values: Mapping, dimensions: int) -> list[ProductCost]:
    """The products that were measured in so many dimensions."""
    return [ProductCost(**row) for row in values["products"][str(dimensions)]]


def solver_rows(values: Mapping) -> list[SolverCost]:
    """The solvers that were measured side by side."""
    return _costs(values["solvers"])


def growth_rows(values: Mapping) -> dict[str, dict[int, list[SolverCost]]]:
    """By field of the problem (``"side"``, ``"k"``) and its value, the solvers that were measured there."""
    fields = {"side": values["side"], "k": values["rank"]}
    return {name: {int(value): _costs(row) for value, row in rows.items()} for name, rows in fields.items()}


def _costs(rows: Mapping) -> list[SolverCost]:
    return [SolverCost(**row | {"values": tuple(row["values"])}) for row in rows.values()]
