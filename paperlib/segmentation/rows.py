"""One row for each test volume: how well it was segmented, and what can be known about it without its label."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from paperlib.files import write_atomically

READINGS = ("rpr", "rpr_patches", "rpr_foreground")
# How figures and tables name the readings beside that of the stitched operator.
READING_NAMES = {"rpr_patches": "mean of the windows' ratios", "rpr_foreground": "within the marked voxels"}

_NAN = math.nan
_Numbers = tuple[float, ...]


@dataclass(frozen=True)
class VolumeRow:
    """One volume under the network of one fold.

    ``dice``: of the predicted mask against the label, in [0, 1], 1 where both are empty. The tuples have k entries:
    ``rpr``, ``rpr_patches`` (empty unless asked for) and ``rpr_foreground`` are the readings of
    `paperlib.segmentation.readings`, ``singular_values`` and ``residuals`` (relative and two-sided) those of the
    stitched operator. ``products`` counts the vectors that this operator or its adjoint was applied to, ``seconds`` is
    the wall-clock time of freezing it and of its SVD. ``entropy`` to ``norm`` are the baselines that need no label,
    ``volume`` and ``contrast`` what the label says about the difficulty (`paperlib.segmentation.baselines`). Where the
    volume failed, ``note`` is the reason, and the rest is empty or NaN.
    """

    name: str
    fold: int
    dice: float = _NAN
    rpr: _Numbers = ()
    rpr_patches: _Numbers = ()
    rpr_foreground: _Numbers = ()
    singular_values: _Numbers = ()
    residuals: _Numbers = ()
    products: int = 0
    seconds: float = _NAN
    entropy: float = _NAN
    foreground_entropy: float = _NAN
    foreground_probability: float = _NAN
    predicted_volume: float = _NAN
    norm: float = _NAN
    volume: float = _NAN
    contrast: float = _NAN
    note: str = ""

    def as_dict(self) -> dict:
        """Plain JSON: lists for tuples, and null for NaN, which JSON does not have."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, values: dict) -> "VolumeRow":
        """The row that `as_dict` gave; raises ``ValueError`` for anything else."""
        if set(values) != set(_TYPES):
            raise ValueError(f"a volume's row has the entries {', '.join(_TYPES)}; got {', '.join(values)}")
        return cls(**{name: _typed(value, _TYPES[name], name) for name, value in values.items()})


_TYPES = {field.name: field.type for field in fields(VolumeRow)}
_GROUPS = tuple(name for name, kind in _TYPES.items() if kind == _Numbers)


@dataclass(frozen=True)
class VolumeTable:
    """The rows of all folds for ``k`` singular triplets, in the order in which they were asked for."""

    rows: tuple[VolumeRow, ...]
    k: int

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def measured(self) -> tuple[VolumeRow, ...]:
        """The rows of the volumes that did not fail."""
        return tuple(row for row in self.rows if not row.note)

    @property
    def failed(self) -> tuple[VolumeRow, ...]:
        """The rows of those that did; their ``note`` says why."""
        return tuple(row for row in self.rows if row.note)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the measured volumes."""
        return tuple(row.name for row in self.measured)

    @property
    def folds(self) -> np.ndarray:
        """Folds of the measured volumes, int64."""
        return np.array([row.fold for row in self.measured], dtype=np.int64)

    def column(self, name: str) -> np.ndarray:
        """A quantity of the measured volumes as float64: ``(count,)``, or ``(count, k)`` of one with k entries.

        Raises ``ValueError`` for a name that is no number's.
        """
        if _TYPES.get(name) not in (float, int, _Numbers):
            known = (known for known, kind in _TYPES.items() if kind is not str)
            raise ValueError(f"a volume's row has no number {name!r}; it has {', '.join(known)}")
        if name == "rpr_patches" and not all(row.rpr_patches for row in self.measured):
            raise ValueError("rpr_patches was not measured; measure the volumes with MeasureSettings(patches=True)")
        shape = (-1, self.k) if name in _GROUPS else (-1,)
        return np.array([getattr(row, name) for row in self.measured], dtype=np.float64).reshape(shape)

    def ratios(self, reading: str = "rpr") -> np.ndarray:
        """RPR of the measured volumes ``(count, k)``, column j for k = j + 1, in one of `READINGS`."""
        if reading not in READINGS:
            raise ValueError(f"reading is {reading!r}; expected one of {', '.join(READINGS)}")
        return self.column(reading)

    def as_dict(self) -> dict:
        """Plain JSON, so that a result can hold the table whole: ``k`` and a list for each quantity; null for NaN."""
        rows = [row.as_dict() for row in self.rows]
        return {"k": self.k} | {name: [row[name] for row in rows] for name in _TYPES}

    @classmethod
    def from_dict(cls, values: dict) -> "VolumeTable":
        """The table that `as_dict` gave; raises ``ValueError`` for anything else."""
        columns = {name: column for name, column in values.items() if name != "k"}
        if "k" not in values or set(columns) != set(_TYPES):
            raise ValueError(f"a table of volumes has k and the columns {', '.join(_TYPES)}; got {', '.join(values)}")
        lines = zip(*columns.values(), strict=True)
        return cls(tuple(VolumeRow.from_dict(dict(zip(columns, line, strict=True))) for line in lines), values["k"])

    def to_pandas(self) -> pd.DataFrame:
        """A line for each volume, failed ones too; ``rpr_1`` to ``rpr_k`` and so on for the quantities with k entries.

        NaN stands for what is not there.
        """
        lines = [_cells(row, self.k) for row in self.rows]
        return pd.DataFrame(lines, columns=list(_cells(VolumeRow("", 0), self.k)))

    def to_csv(self, path: Path | str) -> Path:
        """Write the lines of `to_pandas`, whole or not at all, numbers with all their digits."""
        return write_atomically(Path(path), lambda temporary: self.to_pandas().to_csv(temporary, index=False))


def read_volume_table(path: Path | str) -> VolumeTable:
    """Read what `VolumeTable.to_csv` wrote; raises ``ValueError``, which names the file, for another or damaged one."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        k = sum(bool(re.fullmatch(r"rpr_\d+", name)) for name in frame)
        if list(frame) != list(_cells(VolumeRow("", 0), k)):
            raise ValueError("it has other columns")
        return VolumeTable(tuple(_row(line, k) for line in frame.to_dict("records")), k)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a table of volumes: {error}") from error


def _cells(row: VolumeRow, k: int) -> dict:
    cells = {}
    for name in _TYPES:
        value = getattr(row, name)
        if name in _GROUPS:
            cells |= {f"{name}_{j + 1}": number for j, number in enumerate(value or (_NAN,) * k)}
        else:
            cells[name] = value
    return cells


def _row(cells: dict[str, str], k: int) -> VolumeRow:
    values = {name: _parsed(cells[name], kind) for name, kind in _TYPES.items() if name not in _GROUPS}
    groups = {name: tuple(_parsed(cells[f"{name}_{j + 1}"], float) for j in range(k)) for name in _GROUPS}
    # A reading can be NaN where the volume did not fail: that of a foreground that is empty.
    missing = _GROUPS if values["note"] else ("rpr_patches",) if _all_nan(groups["rpr_patches"]) else ()
    return VolumeRow(**values, **(groups | dict.fromkeys(missing, ())))


def _parsed(text: str, kind: type):
    return _NAN if kind is float and not text else kind(text)


def _all_nan(numbers: Sequence[float]) -> bool:
    return all(math.isnan(number) for number in numbers)


def _plain(value):
    if isinstance(value, tuple):
        return [_plain(number) for number in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _typed(value, kind: type, name: str):
    if kind == _Numbers and isinstance(value, list | tuple):
        return tuple(_typed(number, float, name) for number in value)
    if kind is float and value is None:
        return _NAN
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind == _Numbers or not isinstance(value, kind):
        raise ValueError(f"{name} of a volume's row is {value!r}")
    return value
