"""Runs of one notebook side by side: which parameters vary, which numbers changed, which figures they share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from paperlib.engine.catalogue import Notebook
from paperlib.engine.errors import ResultError, SourceError
from paperlib.engine.figures import PageFigure, figures_of
from paperlib.engine.inputs import Inputs
from paperlib.engine.results import Result, leaves, read_result
from paperlib.engine.run_address import nearest_profile
from paperlib.engine.staleness import changes
from paperlib.engine.text import format_value

# Of a longer list the whole page shows more than a table could.
_LONGEST_LIST = 12
_SVG_NOISE = re.compile(rb"<dc:date>[^<]*|\b[a-zA-Z][0-9a-f]{10}\b")


@dataclass(frozen=True)
class LocalRun:
    """A finished run: its key, its result, the figures of its executed notebook, and what changed since it was made."""

    key: str
    result: Result
    figures: tuple[PageFigure, ...]
    since: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A line of a table: what it is about, and a text for each run (an empty one where a run has no such number)."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What differs between runs, and what all have in common; ``unchanged`` counts the numbers that are the same."""

    varied: tuple[Row, ...]
    common: tuple[tuple[str, str], ...]
    changed: tuple[Row, ...]
    unchanged: int


@dataclass(frozen=True)
class DrawnFigure:
    """A figure, and the keys of all runs that drew it exactly so."""

    keys: tuple[str, ...]
    figure: PageFigure


@dataclass(frozen=True)
class FigureRow:
    """One figure in all runs; ``caption`` is that of all of them, and empty where they differ."""

    name: str
    caption: str
    drawn: tuple[DrawnFigure, ...]


def read_run(result: Path, notebook: Notebook, inputs: Inputs) -> LocalRun:
    """The run whose result is in a file; raises ``ResultError`` or ``SourceError`` where a file of it is damaged."""
    read = read_result(result)
    if read.id != notebook.id:
        raise ResultError(f"{result.name} holds the result of {read.id}, expected {notebook.id}")
    page = result.with_suffix(".ipynb")
    if not page.is_file():
        raise SourceError(f"the executed notebook {page.name} is not here; run it again")
    return LocalRun(result.stem, read, tuple(figures_of(page, notebook.id)), _since(result, read, notebook, inputs))


def _since(result: Path, read: Result, notebook: Notebook, inputs: Inputs) -> tuple[str, ...]:
    if read.parameters.keys() != {spec.name for spec in notebook.parameters}:
        return ("the notebook has other parameters now",)
    values = read.parameters
    return tuple(changes(result, inputs.of_run(notebook, values, nearest_profile(notebook, values))))


def compare_runs(notebook: Notebook, runs: Sequence[LocalRun]) -> Comparison:
    """Parameters in the order of declaration; numbers, texts and yes or no of the ``values`` by their dotted paths.

    What lies deeper in the values comes later. A parameter that a run does not have, since the notebook changed, leaves
    its cell empty.
    """
    given = {spec.name: [run.result.parameters.get(spec.name) for run in runs] for spec in notebook.parameters}
    varied = {name: values for name, values in given.items() if any(value != values[0] for value in values)}
    common = [(name, _text(values[0])) for name, values in given.items() if name not in varied and values]
    found = [dict(leaves(run.result.values, longest=_LONGEST_LIST)) for run in runs]
    paths = sorted(dict.fromkeys(path for run in found for path in run), key=lambda path: path.count("."))
    rows = {path: [run.get(path) for run in found] for path in paths}
    changed = {path: values for path, values in rows.items() if any(value != values[0] for value in values)}
    return Comparison(
        tuple(Row(name, tuple(map(_text, values))) for name, values in varied.items()),
        tuple(common),
        tuple(Row(path, tuple(map(_text, values))) for path, values in changed.items()),
        len(rows) - len(changed),
    )


def figures_side_by_side(runs: Sequence[LocalRun]) -> list[FigureRow]:
    """The figures by their labels, in the order of the page, each as every run drew it."""
    rows: dict[str, list[DrawnFigure]] = {}
    for run in runs:
        for figure in run.figures:
            drawn = rows.setdefault(figure.name, [])
            same = next(
                (place for place, other in enumerate(drawn) if _drawing(other.figure) == _drawing(figure)), None
            )
            if same is None:
                drawn.append(DrawnFigure((run.key,), figure))
            else:
                drawn[same] = DrawnFigure((*drawn[same].keys, run.key), figure)
    captions = {name: {item.figure.caption for item in drawn} for name, drawn in rows.items()}
    return [
        FigureRow(name, next(iter(captions[name])) if len(captions[name]) == 1 else "", tuple(drawn))
        for name, drawn in rows.items()
    ]


def _drawing(figure: PageFigure) -> dict[str, bytes]:
    """Its images without the date and the random names inside an SVG file, which say nothing of what it shows."""
    return {ending: _SVG_NOISE.sub(b"", image) if ending == "svg" else image for ending, image in figure.images.items()}


def _text(value: JsonValue) -> str:
    return "" if value is None else format_value(value)
