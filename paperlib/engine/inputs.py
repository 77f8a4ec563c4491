"""What a run depends on, by name, found without importing or running anything of it.

A run depends on

- ``NOTEBOOK: cells`` and ``NOTEBOOK: parameters cell``: the texts and labels of its cells, which the page shows;
- ``parameter NAME``: the value of each of its parameters;
- ``paperlib/...``: each module that it uses (`paperlib.engine.module_graph`), scripts and style sheets beside such a
  module, and the modules of the engine that execute a notebook and make its page;
- ``package NAME``: the pinned version of each package that those modules import and of what that package needs; of
  the packages that only carry the cells to the kernel and back, no needs;
- ``data set NAME``: the row of ``data/registry.toml`` or ``data/volumes.toml``, with its SHA-256, which every use of
  the data checks, so that the images themselves need not be read here. Which sets a run uses is told by names: those
  that stand in its parameters' values, or as a text in its cells or in a module that it uses (the modules that read
  data, which name every set, left out);
- ``data/...``: other tables of the folder ``data`` that a module which it uses names, and the kept checkpoints that it
  may load: those of an architecture that it names, trained on a data set that it uses;
- ``result ID in profile P``: the results of other notebooks or in other profiles that it shows beside its own;
- ``notebook ID``: all that a notebook depends on which it needs.

Names are taken by the letter, so a set or a checkpoint may be counted that a run does not use in the end; the other
way round would be a mistake, and the tests compare with what the results recorded. Not counted are Python itself, what
this machine keeps in its cache (it is made of the same inputs), data without a SHA-256 in the registry (BraTS), and
the prose.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from paperlib import paths
from paperlib.engine.catalogue import PROFILES, Notebook, read_catalogue
from paperlib.engine.errors import SourceError
from paperlib.engine.lock import Lock
from paperlib.engine.module_graph import Closure, ModuleGraph, Source, parse_source
from paperlib.engine.parameters import Value
from paperlib.engine.results import find_result
from paperlib.engine.text import shown_path

ABSENT = "none"
_DIGITS = 16

_RUNNER = "paperlib.engine.runner"
# Modules that look at runs and take no part in them.
_BOOKKEEPING = tuple(
    f"paperlib.engine.{name}" for name in ("inputs", "lock", "module_graph", "run_address", "staleness")
)
# They carry cells and outputs; the kernel is started as a program, so that no import names it.
_KERNEL = ("ipykernel", "ipython", "matplotlib-inline")
# They name every data set, architecture or file, whichever is used.
_TELLS_NO_USE = ("paperlib.datasets", "paperlib.models", "paperlib.paths")
_READS_RESULTS = {"load_result", "find_result", "show_tracked"}
_PLACEHOLDER = re.compile(r"\{tracked:(\w+)\}")
_MAGIC = re.compile(r"(?m)^(\s*)[%!].*$")


class Inputs:
    """The inputs of all notebooks as they lie on the disk now; every file is read once, when it is first asked for.

    Make a new one to see changes.
    """

    def __init__(self):
        self.notebooks = read_catalogue()
        self.graph = ModuleGraph(paths.LIBRARY)
        self._digests: dict[Path, str] = {}
        self._sources: dict[str, _Cells] = {}
        self._closures: dict[str, Closure] = {}
        self._runs: dict[tuple[str, str], dict[str, str]] = {}

    def of_profile(self, notebook_id: str, profile: str) -> dict[str, str]:
        """What the run of a notebook in a profile depends on: values of parameters, versions, digests, by name.

        Raises ``SourceError`` for a malformed notebook, catalogue or module and ``UsageError`` for an unknown profile.
        """
        if (notebook_id, profile) not in self._runs:
            notebook = self.notebooks[notebook_id]
            self._runs[notebook_id, profile] = self.of_run(notebook, notebook.profile_values(profile), profile)
        return self._runs[notebook_id, profile]

    def of_run(self, notebook: Notebook, values: Mapping[str, Value], profile: str) -> dict[str, str]:
        """What a run with these parameter ``values`` depends on; ``profile`` is that of the notebooks it needs."""
        cells, closure = self._cells(notebook), self._closure(notebook)
        place = shown_path(notebook.path)
        found = {f"{place}: cells": cells.digest, f"{place}: parameters cell": cells.parameters_digest}
        specs = notebook.parameters
        found |= {f"parameter {spec.name}": spec.command_line(values[spec.name]) for spec in specs}
        found |= {shown_path(path): self._digest(path) for path in self._library_files(closure)}
        found |= {f"package {name}": self._lock.version(name) for name in sorted(self._packages(closure))}
        texts = self._texts(cells, closure)
        named = _names(values.values(), self._data_rows) | (self._data_rows.keys() & texts)
        found |= {f"data set {name}": self._data_rows[name] for name in sorted(named)}
        found |= {shown_path(path): self._digest(path) for path in self._tables(closure, texts)}
        texts |= _names(values.values(), {architecture for architecture, _ in self._checkpoints.values()})
        found |= {shown_path(path): self._digest(path) for path in self._loadable(texts, named)}
        for shown, other in self._shown(notebook, cells, profile):
            path = find_result(shown, other)
            found[f"result {shown} in profile {other}"] = self._digest(path) if path else ABSENT
        for need in notebook.needs:
            found[f"notebook {need}"] = digest(self.of_profile(need, profile))
        return found

    def _cells(self, notebook: Notebook) -> "_Cells":
        if notebook.id not in self._sources:
            self._sources[notebook.id] = _Cells(notebook.path)
        return self._sources[notebook.id]

    def _closure(self, notebook: Notebook) -> Closure:
        if notebook.id not in self._closures:
            try:
                self._closures[notebook.id] = self.graph.closure(self._cells(notebook).sources)
            except (SyntaxError, UnicodeDecodeError) as error:
                raise SourceError(f"a module that {notebook.id} uses cannot be read: {error}") from None
        return self._closures[notebook.id]

    @cached_property
    def _engine(self) -> Closure:
        if not (paths.LIBRARY / "engine" / "runner.py").is_file():
            return Closure(frozenset(), frozenset())
        return self.graph.closure([], [_RUNNER], _BOOKKEEPING)

    def _library_files(self, closure: Closure) -> list[Path]:
        modules = closure.modules | self._engine.modules
        files = {self.graph.path(module) for module in modules}
        # The style sheet of the book, beside the engine, is none of its pages'.
        folders = {path.parent for path in files} - {paths.LIBRARY / "engine"}
        beside = {path for folder in folders for path in self._statics.get(folder, ())}
        return sorted(files | beside)

    @cached_property
    def _statics(self) -> dict[Path, list[Path]]:
        """Files that are no modules, by the nearest folder above them that holds modules."""
        packages = {path.parent for path in paths.LIBRARY.rglob("*.py")}
        found: dict[Path, list[Path]] = {}
        for path in paths.LIBRARY.rglob("*"):
            generated = path.suffix in (".py", ".pyc") or any(
                part.startswith((".", "__pycache__")) for part in path.parts
            )
            if path.is_file() and not generated:
                nearest = next((folder for folder in path.parents if folder in packages), paths.LIBRARY)
                found.setdefault(nearest, []).append(path)
        return found

    @cached_property
    def _lock(self) -> Lock:
        return Lock.read(paths.ROOT)

    def _packages(self, closure: Closure) -> frozenset[str]:
        carriers = self._lock.packages(self._engine.packages, with_needs=False) | set(_KERNEL)
        return self._lock.packages(closure.packages - {paths.LIBRARY.name}) | carriers

    def _texts(self, cells: "_Cells", closure: Closure) -> set[str]:
        telling = [module for module in closure.modules if not module.startswith(_TELLS_NO_USE)]
        texts = {text for module in telling for text in self.graph.source(module).texts}
        # The name of a checkpoint is written "ARCHITECTURE-KEY".
        return {text.removesuffix("-") for text in texts | set(cells.texts)}

    @cached_property
    def _data_rows(self) -> dict[str, str]:
        """Digest of each row of the two registries by its name."""
        rows: dict[str, object] = {}
        for path in (paths.REGISTRY, paths.VOLUMES):
            try:
                rows |= tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise SourceError(f"{shown_path(path)} is not TOML: {error}") from None
        return {name: _short(json.dumps(row, sort_keys=True, default=str)) for name, row in rows.items()}

    def _tables(self, closure: Closure, texts: set[str]) -> list[Path]:
        """Files of the folder ``data`` that a module names, by ``paths.NAME`` or as a text."""
        by_row = {paths.REGISTRY, paths.VOLUMES}
        files = {path for path in paths.DATA.glob("*") if path.is_file()} - by_row
        used = {name for module in closure.modules for name in self.graph.source(module).attributes}
        by_name = {getattr(paths, name.removeprefix("paths."), None) for name in used if name.startswith("paths.")}
        return sorted(path for path in files if path in by_name or path.name in texts)

    @cached_property
    def _checkpoints(self) -> dict[Path, tuple[str, str | None]]:
        """Architecture and data set of each kept checkpoint's files; no data set where no summary tells it."""
        found = {}
        for path in sorted(paths.TRACKED_CHECKPOINTS.glob("*")):
            name = path.name.partition(".")[0]
            summary = path.with_name(f"{name}.json")
            try:
                data = json.loads(summary.read_text(encoding="utf-8"))["recipe"]["data"]
            except (OSError, ValueError, KeyError, TypeError):
                data = None
            found[path] = (name.rpartition("-")[0], data)
        return found

    def _loadable(self, texts: set[str], named: set[str]) -> list[Path]:
        checkpoints = self._checkpoints.items()
        return [path for path, (kind, data) in checkpoints if kind in texts and (data is None or data in named)]

    def _shown(self, notebook: Notebook, cells: "_Cells", profile: str) -> list[tuple[str, str]]:
        """Results that the page may show beside its own: of itself, what it needs and what its cells name."""
        reads = any(wanted.name in _READS_RESULTS for wanted in cells.imports)
        if not reads and not cells.placeholders:
            return []
        named = {name for name in PROFILES if name in cells.texts} | cells.placeholders
        ids = {notebook.id, *notebook.needs, *(self.notebooks.keys() & set(cells.texts))} if reads else {notebook.id}
        # Its own result and those that it needs are made of inputs that are counted already.
        own = {(shown, profile) for shown in (notebook.id, *notebook.needs)}
        pairs = {(shown, other) for shown in ids for other in named or set(PROFILES)} - own
        return sorted(pairs)

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = _short(path.read_bytes())
        return self._digests[path]


class _Cells:
    """The cells of a notebook: what the page shows of them, and what the code outside the parameters cell names."""

    def __init__(self, path: Path):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            shown = [[cell["cell_type"], "".join(cell["source"]), cell["metadata"]] for cell in cells]
            tagged = ["parameters" in cell["metadata"].get("tags", []) for cell in cells]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(f"{shown_path(path)} is not a notebook ({type(error).__name__}: {error})") from None
        rest = [cell for cell, parameters in zip(shown, tagged, strict=True) if not parameters]
        self.digest = _short(json.dumps(rest))
        self.parameters_digest = _short(json.dumps([cell for cell, given in zip(shown, tagged, strict=True) if given]))
        self.placeholders = set(_PLACEHOLDER.findall(json.dumps([cell[2] for cell in shown])))
        sources = [_source(text) for kind, text, _ in rest if kind == "code"]
        self.imports = {wanted for source in sources for wanted in source.imports}
        self.texts = frozenset(text for source in sources for text in source.texts)
        self.sources = sources


def _source(code: str) -> Source:
    """A cell's code without IPython's magic lines; a cell that is not Python stops the run and so names nothing."""
    for text in (code, _MAGIC.sub(r"\1pass", code)):
        try:
            return parse_source(text)
        except SyntaxError:
            continue
    return parse_source("")


def _names(values: Iterable[Value], known: Iterable[str]) -> set[str]:
    """Those ``known`` names that stand as words in texts among the values of parameters."""
    words: set[str] = set()
    for value in values:
        for item in value if isinstance(value, list) else [value]:
            words.update(re.findall(r"\w+", item) if isinstance(item, str) else [])
    return words & set(known)


def digest(inputs: Mapping[str, str]) -> str:
    """One digest of all that a run depends on."""
    return _short(json.dumps(dict(inputs), sort_keys=True))


def _short(content: str | bytes) -> str:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()[:_DIGITS]
