"""The table of projection ratios: one row for each image, lowest ratio first."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paperlib.files import write_text_atomically
from paperlib.ratios.errors import RatioError

_GROUPS = {"rpr": "rpr", "s": "singular_values", "residual": "residuals"}


@dataclass(frozen=True)
class RatioRow:
    """One image: ``rpr[j]`` is RPR(x; j + 1), ``singular_values`` and ``residuals`` have k entries too.

    ``rpr`` lies in [0, 1] and never decreases with k; ``residuals`` are the relative two-sided residuals of the
    triplets; ``products`` counts the vectors multiplied by A[x] or its adjoint; ``seconds`` is wall-clock time for
    the image, ``solver`` names the solver that ran. Where an image failed, ``note`` is the reason and the tuples are
    empty. ``digest`` is the SHA-256 of the image's file, empty for a tensor.
    """

    name: str
    rpr: tuple[float, ...] = ()
    singular_values: tuple[float, ...] = ()
    residuals: tuple[float, ...] = ()
    products: int = 0
    seconds: float = 0.0
    solver: str = ""
    digest: str = ""
    note: str = ""

    @property
    def ratio(self) -> float:
        """RPR at the largest k; NaN where the image failed."""
        return self.rpr[-1] if self.rpr else float("nan")


@dataclass(frozen=True)
class RatioTable:
    """Rows sorted by RPR at ``k``, lowest first: the candidates for labelling. Images that failed come last."""

    rows: tuple[RatioRow, ...]
    k: int

    @classmethod
    def of(cls, rows: Iterable[RatioRow], k: int) -> "RatioTable":
        """Sort rows into a table; equal ratios, and failed images, by name."""
        return cls(tuple(sorted(rows, key=lambda row: (bool(row.note), row.ratio if row.rpr else 0.0, row.name))), k)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def measured(self) -> tuple[RatioRow, ...]:
        """The rows with a ratio, lowest first."""
        return tuple(row for row in self.rows if not row.note)

    @property
    def failed(self) -> tuple[RatioRow, ...]:
        """The rows without one; their ``note`` says why."""
        return tuple(row for row in self.rows if row.note)

    def to_csv(self, path: Path | str) -> Path:
        """Write the table, whole or not at all: one line for each image, numbers with all their digits."""
        lines = [header(self.k), *(cells(row, self.k) for row in self.rows)]
        return write_text_atomically(Path(path), "".join(map(csv_line, lines)))

    def to_pandas(self):
        """The same columns as a ``pandas.DataFrame``; NaN where an image failed."""
        import pandas as pd

        frame = pd.DataFrame([cells(row, self.k) for row in self.rows], columns=header(self.k))
        numbers = [name for name in frame if name not in ("name", "solver", "sha256", "note")]
        frame[numbers] = frame[numbers].apply(pd.to_numeric)
        return frame


def read_csv(path: Path | str) -> RatioTable:
    """Read a table that `RatioTable.to_csv` wrote; raises ``RatioError`` for another or a damaged file."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RatioError(f"{path} cannot be read as a table of ratios: {error}") from error
    k = sum(name.startswith("rpr_") for name in lines[0]) if lines else 0
    if not k or lines[0] != header(k):
        raise RatioError(f"{path} is no table of ratios; expected the columns {', '.join(header(2))}")
    try:
        return RatioTable(tuple(parse(line, k) for line in lines[1:]), k)
    except ValueError as error:
        raise RatioError(f"{path} is damaged: {error}") from error


def header(k: int) -> list[str]:
    """Names of the columns."""
    numbers = [f"{group}_{index}" for group in _GROUPS for index in range(1, k + 1)]
    return ["name", *numbers, "products", "seconds", "solver", "sha256", "note"]


def cells(row: RatioRow, k: int) -> list[str]:
    """A row as text; numbers so that reading them gives the same floats."""
    groups: list[Sequence[float]] = [getattr(row, field) or () for field in _GROUPS.values()]
    numbers = [repr(value) for group in groups for value in group] if row.rpr else [""] * (len(_GROUPS) * k)
    return [row.name, *numbers, str(row.products), f"{row.seconds:.3f}", row.solver, row.digest, row.note]


def parse(line: Sequence[str], k: int) -> RatioRow:
    """The row of one line's cells; raises ``ValueError`` for a line that is cut off or garbled."""
    if len(line) != len(header(k)):
        raise ValueError(f"a line has {len(line)} cells instead of {len(header(k))}")
    name, *numbers = line[: 1 + len(_GROUPS) * k]
    products, seconds, solver, digest, note = line[-5:]
    values = [] if note else [float(cell) for cell in numbers]
    groups = [tuple(values[start : start + k]) for start in range(0, len(_GROUPS) * k, k)]
    return RatioRow(name, *groups, int(products), float(seconds), solver, digest, note)


def csv_line(values: Sequence[str]) -> str:
    """One line of CSV with its end, quoted where needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
