"""A table of ratios on disk that grows row by row, so that an interrupted run goes on where it was.

While a run lasts, ``OUT.part`` holds the question (model, images, k, solver and so on) in its first line and one line
of CSV for each image that is done. At the end the sorted table is written to ``OUT`` and the question, with the SHA-256
of the table, to ``OUT.json``; then the part file goes.
"""

import csv
import fcntl
import hashlib
import io
import json
from pathlib import Path

from paperlib.files import append_text, write_text_atomically
from paperlib.ratios.errors import RatioError
from paperlib.ratios.table import RatioRow, RatioTable, cells, csv_line, parse, read_csv


class OtherQuestionError(RatioError):
    """A file at the chosen place answers another question, or is not of this making; ``--restart`` replaces it."""


class BusyError(RatioError):
    """Another process is writing the same table."""


def files_of(path: Path | str) -> tuple[Path, Path, Path]:
    """The finished table, its part while a run lasts, and the question that it answers."""
    path = Path(path)
    return path, path.with_name(path.name + ".part"), path.with_name(path.name + ".json")


class Journal:
    """The rows of one table, on disk as soon as they are known.

    ``question`` is plain JSON: whatever the numbers depend on. ``done`` holds by name the rows of earlier runs that
    answered the same question; with ``restart`` there are none. Raises ``OtherQuestionError`` where a part or a
    finished file answers another question, and ``BusyError`` while another process writes it. Close it, or use it in a
    ``with`` statement.
    """

    def __init__(self, path: Path | str, question: dict, k: int, *, restart: bool = False):
        self.question, self.k = question, k
        self.path, self.part, self.side = files_of(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.part.open("a+b")
        try:
            self._lock()
            self.done = self._resume(restart)
        except RatioError:
            self.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def add(self, row: RatioRow) -> None:
        """Write a row, down to the disk."""
        self.done[row.name] = row
        append_text(self._file, csv_line(cells(row, self.k)))

    def finish(self, names: list[str]) -> RatioTable:
        """Write the sorted table of the rows with these names, then remove the part file."""
        table = RatioTable.of((self.done[name] for name in names), self.k)
        table.to_csv(self.path)
        # The table first: a side file whose digest is not that of the table is seen to be out of date, and the part
        # file, which still has everything, is removed last.
        side = {"question": self.question, "sha256": _sha256(self.path)}
        write_text_atomically(self.side, json.dumps(side, indent=1, ensure_ascii=False) + "\n")
        self.part.unlink()
        return table

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another process is writing {self.part}; wait for it, or choose another output") from None

    def _resume(self, restart: bool) -> dict[str, RatioRow]:
        if restart:
            self._file.truncate(0)
        self._file.seek(0)
        first, _, rest = self._file.read().partition(b"\n")
        if not first:
            try:
                done = {} if restart else self._finished()
            except RatioError:
                self.part.unlink()
                raise
            start = {"question": self.question, "fresh": restart}
            append_text(self._file, json.dumps(start, ensure_ascii=False) + "\n")
            return done
        try:
            start = json.loads(first)
            self._compare(start["question"], self.part)
        except (ValueError, KeyError, TypeError) as error:
            raise OtherQuestionError(f"{self.part} is no part of a table of ratios; --restart replaces it") from error
        # A run that was started afresh replaces the finished table, whatever that is.
        done = {} if start["fresh"] else self._finished()
        rows, length = _whole_rows(rest, self.k)
        self._file.truncate(len(first) + 1 + length)
        return done | rows

    def _finished(self) -> dict[str, RatioRow]:
        if not self.path.exists():
            return {}
        try:
            side = json.loads(self.side.read_text(encoding="utf-8"))
            question, digest = side["question"], side["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            question, digest = None, ""
        if digest != _sha256(self.path):
            raise OtherQuestionError(
                f"{self.path} exists, and was changed since or was not written by this command; choose another "
                "output, or replace it with --restart"
            )
        self._compare(question, self.path)
        return {row.name: row for row in read_csv(self.path).rows}

    def _compare(self, other: dict, place: Path) -> None:
        names = [name for name in {**self.question, **other} if self.question.get(name) != other.get(name)]
        if names:
            listed = "; ".join(f"{name}: {other.get(name)!r} there, {self.question.get(name)!r} now" for name in names)
            raise OtherQuestionError(
                f"{place} answers another question ({listed}); choose another output, or replace it with --restart"
            )


def _whole_rows(content: bytes, k: int) -> tuple[dict[str, RatioRow], int]:
    """The rows of a part file up to one that was cut off, and the bytes that they take."""
    rows, length = {}, 0
    for line in content.splitlines(keepends=True):
        try:
            if not line.endswith(b"\n"):
                break
            row = parse(next(csv.reader(io.StringIO(line.decode()))), k)
        except (ValueError, csv.Error, StopIteration):
            break
        rows[row.name] = row
        length += len(line)
    return rows, length


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
