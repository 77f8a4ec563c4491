"""Whether a result is still that of the files it was made of, and if not, what changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from paperlib.engine.catalogue import PROFILES
from paperlib.engine.errors import ResultError, UsageError
from paperlib.engine.inputs import ABSENT, Inputs
from paperlib.engine.lock import UNPINNED
from paperlib.engine.results import read_result, run_command
from paperlib.engine.run_address import default_output, inputs_path, local_path, tracked_path
from paperlib.engine.text import nearest, shown_path
from paperlib.files import write_text_atomically

_LONGEST_VALUE = 40


@dataclass(frozen=True)
class PageState:
    """Whether the run of a notebook in a profile has to be made again, and every reason, in words."""

    id: str
    profile: str
    state: Literal["fresh", "stale", "missing"]
    reasons: tuple[str, ...] = ()

    def as_json(self) -> dict:
        return asdict(self) | {"reasons": list(self.reasons)}


def write_inputs(result: Path, inputs: Mapping[str, str]) -> Path:
    """Write what the run of a result depended on beside the result, and which result that was."""
    text = json.dumps({"result": _content(result), "inputs": dict(inputs)}, indent=1, ensure_ascii=False)
    return write_text_atomically(inputs_path(result), text + "\n")


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changes(result: Path, inputs: Mapping[str, str]) -> list[str]:
    """What differs between ``inputs`` and what the run of a result depended on, in words; nothing where it is fresh.

    A result without a record of its inputs, or with that of another run, counts as changed.
    """
    path = inputs_path(result)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        before, of = dict(record["inputs"]), record["result"]
    except FileNotFoundError:
        return [f"what it depended on was not recorded ({shown_path(path)} is not here)"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{shown_path(path)} is damaged ({error})"]
    if of != _content(result):
        return [f"{shown_path(result)} was changed after its run"]
    differing = [name for name in (before | dict(inputs)) if before.get(name) != inputs.get(name)]
    # The parameters cell holds the default values, of which the parameter itself says more.
    if any(name.startswith("parameter ") for name in differing):
        differing = [name for name in differing if not name.endswith(": parameters cell")]
    return [_words(name, before.get(name), inputs.get(name)) for name in differing]


def _words(name: str, was: str | None, now: str | None) -> str:
    kind, _, rest = name.partition(" ")
    if name.endswith((": cells", ": parameters cell")):
        notebook, _, cells = name.partition(": ")
        return f"{'the parameters cell' if cells == 'parameters cell' else 'the cells'} of {notebook} changed"
    if kind == "parameter":
        return _difference(f"parameter {rest} is", was, now, "new", "gone")
    if kind == "package":
        new, gone = "a package that it uses now", "a package that it uses no more"
        return _difference(f"{rest} is", was, now, new, gone, "pinned at ")
    if kind == "notebook":
        return f"{rest}, which it needs, changed" if was and now else f"it needs {rest} {'now' if now else 'no more'}"
    if kind == "data" and rest.startswith("set "):
        title = f"data set {rest.removeprefix('set ')}"
        return f"the registry's row of {title} changed" if was and now else f"{title} is used {_since(now)}"
    if kind == "result":
        place = f"the result of {rest}, which it shows,"
        if ABSENT in (was, now) and was and now:
            return f"{place} {'came' if was == ABSENT else 'is gone'}"
        return f"{place} changed" if was and now else f"{place} is used {_since(now)}"
    if was and now:
        return f"{name} changed"
    return f"{name} is used now" if now else f"{name} is gone or used no more"


def _since(now: str | None) -> str:
    return "now" if now else "no more"


def _difference(front: str, was: str | None, now: str | None, new: str, gone: str, unit: str = "") -> str:
    if was is None or now is None:
        return f"{front} {new if was is None else gone}"
    return f"{front} {unit if now != UNPINNED else ''}{_short(now)}, was {_short(was)}"


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."


def page_state(inputs: Inputs, notebook_id: str, profile: str) -> PageState:
    """The state of a notebook's page in a profile: ``missing`` where the result or the executed page is not here.

    Only what was run on this machine is looked at; of a kept result it is said at most at which commit it was
    measured. Raises what `Inputs.of_profile` raises.
    """
    result, page = local_path(notebook_id, profile), default_output(notebook_id, profile)
    if not result.is_file():
        why = f"its result is not here; make it with: {run_command(notebook_id, profile)}"
        return PageState(notebook_id, profile, "missing", (why, *_kept(notebook_id, profile)))
    if not page.is_file():
        return PageState(notebook_id, profile, "missing", (f"its page {shown_path(page)} is not here",))
    found = changes(result, inputs.of_profile(notebook_id, profile))
    return PageState(notebook_id, profile, "stale" if found else "fresh", tuple(found))


def _kept(notebook_id: str, profile: str) -> tuple[str, ...]:
    path = tracked_path(notebook_id, profile)
    if not path.is_file():
        return ()
    try:
        commit = read_result(path).commit
    except ResultError as error:
        return (str(error),)
    return (f"{shown_path(path)} is kept, measured {f'at commit {commit}' if commit else 'outside version control'}",)


def page_states(notebook_ids: list[str] | None = None, profile: str = PROFILES[0]) -> list[PageState]:
    """The states of these notebooks' pages, or of all, in reading order; raises what `page_state` raises."""
    if profile not in PROFILES:
        raise UsageError(f"unknown profile {profile!r}.{nearest(profile, PROFILES)} Known: {', '.join(PROFILES)}")
    inputs = Inputs()
    chosen = inputs.notebooks if notebook_ids is None else notebook_ids
    return [page_state(inputs, notebook_id, profile) for notebook_id in chosen]
