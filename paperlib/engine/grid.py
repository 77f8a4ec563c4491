"""Grids of runs: several values for some parameters, every combination of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from paperlib.engine.catalogue import Notebook
from paperlib.engine.errors import ParameterError
from paperlib.engine.parameters import ParameterSpec, Value, parse_overrides
from paperlib.engine.run_address import run_key, run_path


@dataclass(frozen=True)
class GridRun:
    """One run of a grid: the name of its files, what was set, and every parameter's value."""

    notebook: Notebook
    chosen: Mapping[str, Value]
    values: Mapping[str, Value]

    @property
    def key(self) -> str:
        return run_key(self.notebook, self.values)

    @property
    def result(self) -> Path:
        return run_path(self.notebook, self.values)

    @property
    def arguments(self) -> list[str]:
        """What sets its parameters on the command line of ``paperlib run``."""
        specs = {spec.name: spec for spec in self.notebook.parameters}
        pairs = [f"{name}={specs[name].command_line(value)}" for name, value in self.chosen.items()]
        return [word for pair in pairs for word in ("-p", pair)]


def grid_runs(notebook: Notebook, profile: str, assignments: Iterable[str]) -> list[GridRun]:
    """Every combination of the values in texts ``name=a,b,c``, in the order of the texts, the last changing fastest.

    Values stand with commas between them, those of a list parameter (whose elements have the commas) and of any text
    that holds a ``;`` with ``;``; a name that is given again adds values. Raises one ``ParameterError`` with all that
    is wrong.
    """
    specs = {spec.name: spec for spec in notebook.parameters}
    texts: dict[str, list[str]] = {}
    for assignment in assignments:
        name, _, rest = assignment.partition("=")
        found = texts.setdefault(name.strip(), [])
        pieces = _pieces(specs.get(name.strip()), rest) if "=" in assignment else [None]
        found += [assignment if piece is None else f"{name}={piece}" for piece in pieces]
    values, problems = {}, []
    for name, pieces in texts.items():
        values[name] = []
        for piece in pieces:
            try:
                value = parse_overrides(notebook.parameters, [piece])[name]
            except ParameterError as error:
                problems.append(str(error).partition("\nThe parameters are:")[0])
            else:
                values[name] += [value] if value not in values[name] else []
    if problems:
        declared = "".join(f"\n  {spec}  # {spec.meaning}" for spec in notebook.parameters) or "\n  none"
        raise ParameterError("\n".join(problems) + f"\nThe parameters are:{declared}")
    combinations = [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
    return [GridRun(notebook, chosen, notebook.values(profile, chosen)) for chosen in combinations]


def _pieces(spec: ParameterSpec | None, text: str) -> list[str]:
    separator = ";" if ";" in text or (spec is not None and spec.is_list) else ","
    pieces = text.split(separator)
    # A comma at the end adds no value; an empty list has to be asked for as [].
    return [piece.strip() for piece in pieces if piece.strip()] or [text]
