"""The one comparison of a paper's value with ours."""

import math
from itertools import pairwise

from pydantic import JsonValue

Tolerance = float | tuple[float, float] | None


def matches(kind: str, paper: JsonValue, tolerance: Tolerance, value: JsonValue) -> bool:
    """Whether ``value`` agrees with the ``paper``'s.

    exact: equal, numbers within ``tolerance`` (default 0). absolute: ``|value - paper| <= tolerance``. relative:
    ``|value - paper| <= tolerance * |paper|``. band: ``low <= value <= high``. ordering: the numbers of the mapping
    ``value`` strictly increase along the names in ``paper``. sign: every number is above ("+") or below ("-") zero.
    Numbers may be lists of numbers, compared one by one. Raises ``ValueError`` for a value of another shape.
    """
    if kind == "exact":
        return _equal(value, paper, tolerance or 0)
    if kind == "ordering":
        return _increasing(value, paper)
    found = numbers(value)
    if not found:
        raise ValueError(f"the value is {value!r}; kind {kind} compares a number or a list of numbers")
    if kind == "band":
        return all(tolerance[0] <= number <= tolerance[1] for number in found)
    if kind == "sign":
        return all(number > 0 if paper == "+" else number < 0 for number in found)
    expected = numbers(paper)
    if isinstance(value, list) != isinstance(paper, list) or len(found) != len(expected):
        raise ValueError(f"the value is {value!r}, of another length than the paper's {paper!r}")
    scales = [abs(p) if kind == "relative" else 1 for p in expected]
    return all(abs(v - p) <= tolerance * scale for v, p, scale in zip(found, expected, scales, strict=True))


def numbers(value: JsonValue) -> list[float]:
    """A finite number or a list of them as a list; empty for anything else (a bool is no number)."""
    items = value if isinstance(value, list) else [value]
    return items if all(type(item) in (int, float) and math.isfinite(item) for item in items) else []


def _equal(value: JsonValue, paper: JsonValue, tolerance: float) -> bool:
    if isinstance(value, list) and isinstance(paper, list):
        return len(value) == len(paper) and all(_equal(v, p, tolerance) for v, p in zip(value, paper, strict=True))
    if isinstance(value, dict) and isinstance(paper, dict):
        return value.keys() == paper.keys() and all(_equal(value[key], paper[key], tolerance) for key in paper)
    if type(value) in (int, float) and type(paper) in (int, float):
        return abs(value - paper) <= tolerance
    return type(value) is type(paper) and value == paper


def _increasing(value: JsonValue, names: list[str]) -> bool:
    if not isinstance(value, dict):
        raise ValueError(f"the value is {value!r}; kind ordering compares a mapping from names to numbers")
    absent = [name for name in names if type(value.get(name)) not in (int, float)]
    if absent:
        raise ValueError(f"the value has no number for {', '.join(absent)}; it has {', '.join(value) or 'nothing'}")
    return all(value[lower] < value[higher] for lower, higher in pairwise(names))
