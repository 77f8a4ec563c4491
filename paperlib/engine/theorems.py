"""The numbered statements of the book: which function implements each of them, and which tests check it."""

import ast
import importlib
import inspect
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paperlib import paths
from paperlib.engine.catalogue import validation_problems
from paperlib.engine.errors import SourceError, UsageError
from paperlib.engine.text import nearest, shown_path


class Theorem(BaseModel):
    """A row of ``data/theorems.toml``.

    ``label`` is that of the statement on ``page`` (of the book, without its ending); ``functions`` are dotted names,
    ``tests`` are written as pytest does: ``tests/FOLDER/FILE.py::NAME``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(pattern=r"^thm-[a-z0-9-]+$")
    title: str = Field(min_length=1)
    page: str = Field(min_length=1)
    functions: tuple[str, ...] = Field(min_length=1)
    tests: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Code:
    """The lines of a function or a test, as they stand in ``file`` (relative to the root) from line ``line`` on."""

    name: str
    file: str
    line: int
    text: str


def load_theorems() -> dict[str, Theorem]:
    """All rows by label; raises ``SourceError`` that names the row for a malformed file or a label that comes twice."""
    path = paths.THEOREMS
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("theorem", [])
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{shown_path(path)} cannot be read as TOML: {error}") from error
    found: dict[str, Theorem] = {}
    for row in rows:
        name = str(row.get("label"))
        try:
            theorem = Theorem(**row)
        except ValidationError as error:
            raise SourceError(f"{shown_path(path)}, {name}: {validation_problems(error)}") from None
        if name in found:
            raise SourceError(f"{shown_path(path)} has the label {name} twice")
        found[name] = theorem
    return found


def find_theorem(label: str) -> Theorem:
    """The row of this label; raises ``UsageError`` with the nearest known ones."""
    known = load_theorems()
    if label not in known:
        raise UsageError(f"no theorem {label!r} in {shown_path(paths.THEOREMS)}.{nearest(label, known)}")
    return known[label]


def code_of_function(dotted: str) -> Code:
    """The source of ``package.module.function``, or of a class; raises ``SourceError`` where there is none."""
    module, _, name = dotted.rpartition(".")
    try:
        found = inspect.unwrap(getattr(importlib.import_module(module), name))
        lines, first = inspect.getsourcelines(found)
        file = Path(inspect.getsourcefile(found) or "")
    except (ImportError, AttributeError, OSError, TypeError, ValueError) as error:
        raise SourceError(f"{dotted} is no function of this library ({error})") from error
    return Code(dotted, shown_path(file), first, "".join(lines))


def code_of_test(node_id: str) -> Code:
    """The source of a test, named as pytest does; raises ``SourceError`` where it is not there."""
    file, _, name = node_id.partition("::")
    path = paths.ROOT / file
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError) as error:
        raise SourceError(f"{node_id}: {file} cannot be read ({error})") from error
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            lines = text.splitlines(keepends=True)[first - 1 : node.end_lineno]
            return Code(node_id, file, first, "".join(lines))
    raise SourceError(f"{file} has no test {name!r}")
