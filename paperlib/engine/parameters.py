"""The parameters of a notebook: declared in its own first cell, checked strictly.

One parameter a line, typed, with a default and a comment ``# meaning [unit] {range}``::

    rank_max: int = 10  # largest rank k of the truncated network [singular triplets] {1..10}
"""

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from paperlib.engine.errors import ParameterError, SourceError
from paperlib.engine.ranges import Choices, Interval, parse_range
from paperlib.engine.text import nearest, shown_path

Value = bool | int | float | str | list[int] | list[float] | list[str]

_ELEMENTS = {"int": int, "float": float, "bool": bool, "str": str}
TYPES = (*_ELEMENTS, "list[int]", "list[float]", "list[str]")
_COMMENT = re.compile(r"(?P<meaning>.*?)\s*(?:\[(?P<unit>[^\]]*)\])?\s*(?:\{(?P<range>[^}]*)\})?")
_INTEGER = re.compile(r"[-+]?\d+(_\d+)*")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class ParameterSpec:
    """A declared parameter; ``type`` is one of ``TYPES`` and ``range`` holds for each element of a list."""

    name: str
    type: str
    default: Value
    meaning: str
    unit: str | None = None
    range: Interval | Choices | None = None

    def __str__(self) -> str:
        limits = f" {{{self.range}}}" if self.range is not None else ""
        return f"{self.name}: {self.type} = {self.default!r}{limits}"

    @property
    def words(self) -> str:
        """What it means, with its unit."""
        return self.meaning + (f" [{self.unit}]" if self.unit else "")

    @property
    def is_list(self) -> bool:
        return self.type.startswith("list[")

    @property
    def element(self) -> type:
        """Type of the value, or of the elements of a list."""
        return _ELEMENTS[self.type.removeprefix("list[").removesuffix("]")]

    def check(self, value) -> Value:
        """``value`` as this parameter's type; an int is taken for a float, and nothing else is converted.

        Raises ``ParameterError`` for another type, a float that is not finite, or a value out of range.
        """
        if not self.is_list:
            return self._check_element(value, value)
        if not isinstance(value, list | tuple):
            raise self._refusal(value, f"it is of type {type(value).__name__}")
        return [self._check_element(item, value) for item in value]

    def parse(self, text: str) -> Value:
        """The value that ``text`` from a command line means; lists are ``1,9`` or JSON ``[1, 9]``.

        Raises ``ParameterError`` as ``check`` does.
        """
        if not self.is_list:
            return self.check(self._parse_element(text, text))
        stripped = text.strip()
        if stripped.startswith("["):
            try:
                return self.check(json.loads(stripped))
            except json.JSONDecodeError as error:
                raise self._refusal(text, f"it is no JSON list ({error})") from None
        items = [item.strip() for item in stripped.split(",")] if stripped else []
        return self.check([self._parse_element(item, text) for item in items])

    def command_line(self, value: Value) -> str:
        """Text that ``parse`` turns back into ``value``."""
        if not self.is_list:
            return str(value).lower() if isinstance(value, bool) else str(value)
        plain = ",".join(str(item) for item in value)
        unambiguous = value and all(re.fullmatch(r"[\w.+-]+", str(item)) for item in value)
        return plain if unambiguous else json.dumps(value)

    def _parse_element(self, text: str, whole: str) -> bool | int | float | str:
        if self.element is str:
            return text
        cleaned = text.strip()
        if self.element is bool and cleaned.lower() in _BOOLEANS:
            return _BOOLEANS[cleaned.lower()]
        if self.element is int and _INTEGER.fullmatch(cleaned):
            return int(cleaned)
        if self.element is float:
            try:
                return float(cleaned)
            except ValueError:
                pass
        meant = "true or false" if self.element is bool else f"{self.element.__name__}"
        raise self._refusal(whole, f"{text!r} is not {meant}")

    def _check_element(self, item, whole):
        if self.element is float and type(item) is int:
            item = float(item)
        if type(item) is not self.element:
            raise self._refusal(whole, f"{item!r} is of type {type(item).__name__}")
        if self.element is float and not math.isfinite(item):
            raise self._refusal(whole, f"{item!r} is not finite")
        if self.range is not None and item not in self.range:
            hint = nearest(item, self.range.values) if self.element is str else ""
            raise self._refusal(whole, f"{item!r} is out of range.{hint}".rstrip("."))
        return item

    def _refusal(self, value, why: str) -> ParameterError:
        limits = f" in {{{self.range}}}" if self.range is not None else ""
        unit = f" [{self.unit}]" if self.unit else ""
        return ParameterError(
            f"parameter {self.name} = {value!r}: {why}; expected {self.type}{limits} ({self.meaning}{unit})"
        )


def read_parameters(path: Path) -> tuple[ParameterSpec, ...]:
    """Parameters that the notebook at ``path`` declares in its first code cell, which is tagged ``parameters``.

    Raises ``SourceError`` where the file is no notebook, has no such cell, or the cell is malformed.
    """
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    except FileNotFoundError:
        raise SourceError(f"{shown_path(path)} does not exist") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{shown_path(path)} is not a notebook ({type(error).__name__}: {error})") from error
    if len(tagged) != 1 or tagged[0] is not code[0]:
        raise SourceError(
            f"{shown_path(path)}: {len(tagged)} code cells are tagged 'parameters'; expected one, the first code cell"
        )
    return parse_parameters("".join(tagged[0]["source"]), shown_path(path))


def parse_parameters(source: str, where: str) -> tuple[ParameterSpec, ...]:
    """Parameters declared in the source of a parameters cell; ``where`` names it in errors (``SourceError``)."""
    try:
        statements = ast.parse(source).body
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    except (SyntaxError, tokenize.TokenError) as error:
        raise SourceError(f"{where}: the parameters cell is not Python: {error}") from error
    specs: list[ParameterSpec] = []
    lines: set[int] = set()
    for statement in statements:
        place = f"{where}: parameters cell, line {statement.lineno}"
        try:
            if statement.lineno in lines:
                raise ValueError("two parameters on one line; write one a line")
            lines.update(range(statement.lineno, statement.end_lineno + 1))
            spec = _declaration(statement, comments.get(statement.end_lineno, ""))
            if spec.name in (earlier.name for earlier in specs):
                raise ValueError(f"{spec.name} is declared twice")
            spec.check(spec.default)
        except (ValueError, ParameterError) as error:
            raise SourceError(f"{place}: {error}") from None
        specs.append(spec)
    return tuple(specs)


def _declaration(statement: ast.stmt, comment: str) -> ParameterSpec:
    declared = isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    if not declared or statement.value is None:
        raise ValueError(f"{ast.unparse(statement)!r} is no parameter; expected 'name: type = default  # meaning'")
    name, kind = statement.target.id, ast.unparse(statement.annotation)
    if name.startswith("_"):
        raise ValueError(f"the name {name} begins with an underscore")
    if kind not in TYPES:
        raise ValueError(f"{name} has the type {kind}; expected one of {', '.join(TYPES)}")
    try:
        default = ast.literal_eval(statement.value)
    except ValueError:
        raise ValueError(f"the default of {name} is not a literal: {ast.unparse(statement.value)}") from None
    match = _COMMENT.fullmatch(comment.removeprefix("#").strip())
    if not match or not match["meaning"]:
        raise ValueError(f"{name} has no comment that says what it means; expected '# meaning [unit] {{range}}'")
    bare = ParameterSpec(name, kind, default, match["meaning"], match["unit"] or None)
    limits = None if match["range"] is None else parse_range(match["range"], bare.element)
    return ParameterSpec(name, kind, bare.check(default), bare.meaning, bare.unit, limits)


def check_values(specs: Iterable[ParameterSpec], values: Mapping[str, object]) -> dict[str, Value]:
    """``values`` by name, each checked; raises one ``ParameterError`` with everything that is wrong."""
    return _each(specs, values.items(), ParameterSpec.check)


def parse_overrides(specs: Iterable[ParameterSpec], assignments: Iterable[str]) -> dict[str, Value]:
    """Values from command-line texts ``name=value``; raises one ``ParameterError`` with everything that is wrong."""
    pairs = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"{assignment!r} sets no parameter; expected name=value")
        if name.strip() in dict(pairs):
            raise ParameterError(f"parameter {name.strip()} is set twice")
        pairs.append((name.strip(), text))
    return _each(specs, pairs, ParameterSpec.parse)


def _each(specs, pairs, convert) -> dict[str, Value]:
    known = {spec.name: spec for spec in specs}
    values, problems = {}, []
    for name, value in pairs:
        if name not in known:
            problems.append(f"unknown parameter {name!r}.{nearest(name, known)}")
            continue
        try:
            values[name] = convert(known[name], value)
        except ParameterError as error:
            problems.append(str(error))
    if problems:
        declared = "".join(f"\n  {spec}  # {spec.meaning}" for spec in known.values()) or "\n  none"
        raise ParameterError("\n".join(problems) + f"\nThe parameters are:{declared}")
    return values
