"""Volumes as JSON that `static/columns.js` reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# More points than a browser redraws while a slider moves.
MOST_POINTS = 3000
# Enough that ranks stay what they are, and half the length of a double.
_DIGITS = 8


@dataclass(frozen=True)
class ScatterPoints:
    """Test volumes as they are to be shown.

    ``names`` ``(count,)``; ``folds`` ``(count,)``, integers from 0; ``dice`` ``(count,)`` and ``ratios`` ``(count, k)``
    in [0, 1]; ``others`` further columns ``(count,)`` by the name that a reader sees, in any unit, NaN where a volume
    has no such value.
    """

    names: Sequence[str]
    folds: ArrayLike
    dice: ArrayLike
    ratios: ArrayLike
    others: Mapping[str, ArrayLike] = field(default_factory=dict)


def payload(points: ScatterPoints) -> dict[str, Any]:
    """All that the explorer shows, as a JSON value: ``names``, ``folds``, ``dice``, ``ratios`` (k lists), ``others``.

    Numbers have eight digits, and null stands for NaN. Raises ``ValueError`` for no volumes or more than
    ``MOST_POINTS``, columns of another length or without any value, folds that are not whole numbers from 0, and Dice
    or ratios outside [0, 1].
    """
    count = len(points.names)
    if not 0 < count <= MOST_POINTS:
        raise ValueError(f"{count} volumes are given; expected one or more, and at most {MOST_POINTS}")
    ratios = np.asarray(points.ratios, dtype=np.float64)
    if ratios.ndim != 2 or len(ratios) != count or not ratios.shape[1]:
        raise ValueError(f"ratios are {ratios.shape}; expected ({count}, k), a row for each volume and k from 1 on")
    return {
        "names": list(points.names),
        "folds": _folds(points.folds, count),
        "dice": _shares(_column("Dice", points.dice, count), "Dice"),
        "ratios": [_shares(column, f"the ratio at k = {k}") for k, column in enumerate(ratios.T, start=1)],
        "others": [{"name": name, "values": _other(name, values, count)} for name, values in points.others.items()],
    }


def _folds(folds: ArrayLike, count: int) -> list[int]:
    values = _column("folds", folds, count)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values == values.round()).all()):
        raise ValueError(f"folds are {sorted(set(values.tolist()))}; expected whole numbers from 0")
    return values.astype(int).tolist()


def _column(name: str, values: ArrayLike, count: int) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (count,):
        raise ValueError(f"{name}: values are {column.shape}; expected one for each of {count} volumes")
    return column


def _other(name: str, values: ArrayLike, count: int) -> list[float | None]:
    plain = _plain(_column(name, values, count))
    if all(value is None for value in plain):
        raise ValueError(f"{name}: no volume has a value; leave the column out")
    return plain


def _shares(values: NDArray[np.float64], name: str) -> list[float]:
    # Rounding can take a ratio beyond 1 by some units of its precision.
    if not ((values >= 0) & (values <= 1 + 1e-6)).all():
        raise ValueError(f"{name} has values outside [0, 1], or none; leave out the volumes that failed")
    return _plain(values.clip(max=1))


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values]
