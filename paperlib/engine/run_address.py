"""Where the files of a run lie: those of a profile by the profile's name, all others by what was changed."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from paperlib import paths
from paperlib.engine.catalogue import PROFILES, Notebook
from paperlib.engine.parameters import ParameterSpec, Value

# Ending of the file beside a result that says what the run depended on.
INPUTS_ENDING = ".inputs.json"
_LONGEST_KEY = 80
# Texts that a file name, a shell and a rule of the workflow take as they are.
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")


def default_output(notebook_id: str, profile: str) -> Path:
    """Where the executed notebook of a profile goes: into the book in profile quick, else beside the local result."""
    if profile == PROFILES[0]:
        return paths.EXECUTED / f"{notebook_id}.ipynb"
    return paths.LOCAL_RESULTS / profile / f"{notebook_id}.ipynb"


def local_path(notebook_id: str, profile: str) -> Path:
    """Where the result of a profile goes."""
    return paths.LOCAL_RESULTS / profile / f"{notebook_id}.json"


def tracked_path(notebook_id: str, profile: str) -> Path:
    """Where the kept result of a profile lies."""
    return paths.TRACKED_RESULTS / profile / f"{notebook_id}.json"


def inputs_path(result: Path) -> Path:
    """Where it is said what the run of a result depended on."""
    return result.with_suffix(INPUTS_ENDING)


def runs_folder(notebook_id: str) -> Path:
    """Folder of the runs with parameters of one's own."""
    return paths.LOCAL_RESULTS / "runs" / notebook_id


def nearest_profile(notebook: Notebook, values: Mapping[str, Value]) -> str:
    """The profile from which the fewest ``values`` differ; the cheapest of those that are equally near."""
    return min(PROFILES, key=lambda profile: len(changed_values(notebook, values, profile)))


def changed_values(notebook: Notebook, values: Mapping[str, Value], profile: str) -> dict[str, Value]:
    """The ``values`` that are not those of the profile, in the order of declaration."""
    usual = notebook.profile_values(profile)
    return {spec.name: values[spec.name] for spec in notebook.parameters if values[spec.name] != usual[spec.name]}


def run_key(notebook: Notebook, values: Mapping[str, Value]) -> str:
    """Name of a run's files, the same for the same ``values`` and another for others.

    It is made of what differs from the nearest profile, ``rank_max=5,seed=1``, with the profile's name in front where
    that is not quick; elements of a list stand with a ``+`` between them. Where that is long, or a text in it is none
    for a file name, it is cut and ends in a part of the SHA-256 of the values.
    """
    profile = nearest_profile(notebook, values)
    changed = changed_values(notebook, values, profile)
    parts = [_part(spec, changed[spec.name]) for spec in notebook.parameters if spec.name in changed]
    front = [] if profile == PROFILES[0] and changed else [profile]
    key = ",".join([*front, *(part for part, _ in parts)])
    if len(key) <= _LONGEST_KEY and all(plain for _, plain in parts):
        return key
    text = json.dumps([profile, changed], sort_keys=True)
    cleaned = re.sub(r"[^A-Za-z0-9._=,+-]+", "_", key)[: _LONGEST_KEY - 11].rstrip(",_")
    return f"{cleaned},~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _part(spec: ParameterSpec, value: Value) -> tuple[str, bool]:
    """``name=value``, and whether it can be told from that of every other value."""
    items = value if isinstance(value, list) else [value]
    texts = [str(item).lower() if isinstance(item, bool) else str(item) for item in items]
    return f"{spec.name}={'+'.join(texts)}", bool(texts) and all(_PLAIN.fullmatch(text) for text in texts)


def run_path(notebook: Notebook, values: Mapping[str, Value]) -> Path:
    """Where the result of a run with parameters of one's own goes; the executed notebook lies beside it."""
    return runs_folder(notebook.id) / f"{run_key(notebook, values)}.json"


def run_results(notebook_id: str) -> list[Path]:
    """The results of all runs with parameters of one's own that are here, the last one at the end."""
    found = [path for path in runs_folder(notebook_id).glob("*.json") if not path.name.endswith(INPUTS_ENDING)]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
