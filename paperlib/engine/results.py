"""What a notebook measured: recorded by the notebook, read by the book, the claims and other notebooks."""

import json
import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from paperlib.engine import provenance
from paperlib.engine.catalogue import CUSTOM, PROFILES, Notebook, find_notebook, validation_problems
from paperlib.engine.errors import MissingResultError, ParameterError, ResultError, UsageError
from paperlib.engine.parameters import Value, check_values
from paperlib.engine.run_address import local_path, run_path, run_results, tracked_path
from paperlib.engine.text import nearest, shown_path
from paperlib.files import write_text_atomically

# The runner tells the notebook's kernel where to record and which of two equal profiles was asked for.
RESULT_VARIABLE = "PAPERLIB_RESULT"
PROFILE_VARIABLE = "PAPERLIB_PROFILE"


class Result(BaseModel):
    """A recorded result. ``seconds`` run from ``start_run`` to ``record``; ``date`` is UTC, ISO 8601.

    ``machine`` is empty in results from before it was recorded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    profile: str
    parameters: dict[str, JsonValue]
    data: list[dict[str, JsonValue]]
    seeds: dict[str, int]
    values: dict[str, JsonValue]
    residuals: dict[str, JsonValue]
    versions: dict[str, str]
    threads: int
    device: str
    machine: str = ""
    commit: str | None
    seconds: float = Field(ge=0)
    date: str

    def value(self, path: str) -> JsonValue:
        """The value at a dotted path, such as ``balanced.test_accuracy`` or ``history.0.loss``.

        Raises ``ResultError`` with the names that are there.
        """
        found: JsonValue = self.values
        for part in path.split("."):
            if isinstance(found, dict) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.lstrip("-").isdigit() and -len(found) <= int(part) < len(found):
                found = found[int(part)]
            else:
                raise ResultError(
                    f"the result of {self.id} ({self.profile}) has no value {path!r}: {_lacks(found, part)}"
                )
        return found


def _lacks(found: JsonValue, part: str) -> str:
    if isinstance(found, dict):
        return f"{part!r} is not among {', '.join(found) or 'no names'}.{nearest(part, found)}"
    if isinstance(found, list):
        return f"{part!r} is no index of a list of {len(found)}"
    return f"{part!r} is asked of {found!r}, which has no parts"


def leaves(value: JsonValue, path: str = "", *, longest: int | None = None) -> Iterator[tuple[str, JsonValue]]:
    """Numbers, texts and truth values inside a value, each with the dotted path that `Result.value` takes.

    With ``longest``, lists of more entries are left out, and so are those that hold lists or mappings.
    """
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        deep = any(isinstance(item, list | dict) for item in value)
        items = () if longest is not None and (len(value) > longest or deep) else enumerate(value)
    else:
        yield path, value
        return
    for key, item in items:
        yield from leaves(item, f"{path}.{key}" if path else str(key), longest=longest)


class Run:
    """A run in progress: ``id``, checked ``parameters``, ``profile``; made by `start_run`."""

    def __init__(self, notebook: Notebook, parameters: dict[str, Value], profile: str):
        self.id = notebook.id
        self._usual_path = result_path(notebook, parameters, profile)
        self.parameters = parameters
        self.profile = profile
        self._start = time.perf_counter()

    def record(
        self,
        *,
        values: Mapping[str, object],
        data: list[Mapping[str, object]] = (),
        seeds: Mapping[str, int] | None = None,
        residuals: Mapping[str, object] | None = None,
        device: str | None = None,
    ) -> None:
        """Write what was measured, whole or not at all; a later call replaces an earlier one.

        ``values`` and ``residuals`` hold numbers, texts, lists and mappings; torch and numpy scalars and arrays become
        plain ones. ``data`` has an `ImageData.provenance` for each part of a data set that was used. ``device`` is
        the parameter ``device`` where the notebook has one, else ``"cpu"``.

        Raises ``ResultError`` for a number that is not finite or a value that JSON cannot hold (with its place), and
        ``OSError`` where the file cannot be written; the result of an earlier run stays then.
        """
        used = device or str(self.parameters.get("device", "cpu"))
        result = Result(
            id=self.id,
            profile=self.profile,
            parameters=self.parameters,
            data=plain(list(data), "data"),
            seeds=plain(dict(seeds or {}), "seeds"),
            values=plain(dict(values), "values"),
            residuals=plain(dict(residuals or {}), "residuals"),
            versions=provenance.versions(),
            threads=provenance.threads(),
            device=provenance.device_name(used),
            machine=provenance.machine(),
            commit=provenance.commit(),
            seconds=round(time.perf_counter() - self._start, 3),
            date=provenance.now(),
        )
        given = os.environ.get(RESULT_VARIABLE)
        write_result(result, Path(given) if given else self._usual_path)


def start_run(notebook_id: str, namespace: Mapping[str, object]) -> Run:
    """Begin a notebook's run: take its declared parameters from ``namespace`` (its ``globals()``) and check them.

    Raises ``UsageError`` for an unknown id, ``ParameterError`` for a parameter that was deleted, is of another type
    or out of range.
    """
    notebook = find_notebook(notebook_id)
    names = [spec.name for spec in notebook.parameters]
    absent = [name for name in names if name not in namespace]
    if absent:
        raise ParameterError(f"{notebook_id}: the parameters cell no longer sets {', '.join(absent)}")
    try:
        values = check_values(notebook.parameters, {name: namespace[name] for name in names})
    except ParameterError as error:
        raise ParameterError(f"{notebook_id}: {error}") from None
    return Run(notebook, values, notebook.profile_of(values, os.environ.get(PROFILE_VARIABLE)))


def result_path(notebook: Notebook, values: Mapping[str, Value], profile: str) -> Path:
    """Where the result of a run goes: by its profile's name, or by its values where they are of no profile."""
    return run_path(notebook, values) if profile == CUSTOM else local_path(notebook.id, profile)


def plain(value: object, where: str) -> JsonValue:
    """``value`` as plain JSON; torch and numpy scalars and arrays by their ``tolist``, integer keys as text.

    Raises ``ResultError`` that names the place (``values.rpr[3]``) of a number that is not finite or of another type.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # Of a member of an enumeration this is the text itself, where str(value) may be the member's name.
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ResultError(
                f"{where} is {value}; a result holds finite numbers only, leave it out or mend the computation"
            )
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, where): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), where)
    raise ResultError(f"{where} is of type {type(value).__name__}; expected numbers, texts, lists or mappings of them")


def _key(key: object, where: str) -> str:
    if hasattr(key, "tolist"):
        key = key.tolist()
    if isinstance(key, str) or type(key) is int:
        return str(key)
    raise ResultError(f"{where} has the key {key!r}; expected a text or an integer")


# A list of numbers over several lines; a text cannot hold a line break, so nothing in quotes is touched.
_NUMBERS = re.compile(r"\[\n\s*-?\d[-+.\deE]*(?:,\s+-?\d[-+.\deE]*)*\s+\]")


def write_result(result: Result, path: Path) -> Path:
    """Write a result as JSON, whole or not at all."""
    text = json.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
    # A list of numbers is read as a row; with a line for each number the file of an image would be mostly blanks.
    text = _NUMBERS.sub(lambda match: " ".join(match[0].split()), text)
    return write_text_atomically(path, text + "\n")


def read_result(path: Path) -> Result:
    """The result in a file; raises ``ResultError`` where the file is damaged or no result."""
    mend = "remove it and run the notebook again"
    try:
        return Result.model_validate(
            json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        )
    except ValidationError as error:
        raise ResultError(f"{shown_path(path)} is no result ({validation_problems(error)}); {mend}") from None
    except (OSError, ValueError) as error:
        raise ResultError(f"{shown_path(path)} is damaged ({error}); {mend}") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it holds {name}")


def find_result(notebook_id: str, profile: str) -> Path | None:
    """File of the result: the local one, else the tracked one, else None; in profile custom that of the last run."""
    if profile == CUSTOM:
        return next((path for path in reversed(run_results(notebook_id)) if path.stem not in PROFILES), None)
    candidates = (local_path(notebook_id, profile), tracked_path(notebook_id, profile))
    return next((path for path in candidates if path.is_file()), None)


def load_result(notebook_id: str, profile: str) -> Result:
    """The result of a notebook in a profile: the local one, else the tracked one; in ``custom`` that of the last run.

    Raises ``MissingResultError`` with the command that makes it, ``ResultError`` for a damaged file, and
    ``UsageError`` for an unknown profile.
    """
    if profile not in (*PROFILES, CUSTOM):
        raise UsageError(f"unknown profile {profile!r}.{nearest(profile, PROFILES)} Known: {', '.join(PROFILES)}")
    path = find_result(notebook_id, profile)
    if path is None:
        command = run_command(notebook_id, profile)
        raise MissingResultError(f"no result of {notebook_id} in profile {profile}; make it with: {command}", command)
    return _read_as(path, notebook_id, profile)


def _read_as(path: Path, notebook_id: str, profile: str) -> Result:
    result = read_result(path)
    if (result.id, result.profile) != (notebook_id, profile):
        raise ResultError(
            f"{shown_path(path)} holds the result of {result.id} in profile {result.profile}; "
            f"remove it and run: {run_command(notebook_id, profile)}"
        )
    return result


def run_command(notebook_id: str, profile: str) -> str:
    """The command that makes the result of a notebook in a profile."""
    return f"paperlib run {notebook_id}" + ("" if profile in (PROFILES[0], CUSTOM) else f" --profile {profile}")


def track_result(notebook_id: str, profile: str) -> Path:
    """Copy the local result into ``data/results`` and return the copy's path.

    Raises ``UsageError`` for an unknown notebook or a profile that is not tracked, ``MissingResultError`` where
    there is no local result, ``ResultError`` where it is damaged.
    """
    find_notebook(notebook_id).profile_values(profile)
    path = local_path(notebook_id, profile)
    if not path.is_file():
        command = run_command(notebook_id, profile)
        raise MissingResultError(f"no local result {shown_path(path)}; make it with: {command}", command)
    return write_result(_read_as(path, notebook_id, profile), tracked_path(notebook_id, profile))
