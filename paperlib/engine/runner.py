"""Run one notebook with parameters: all of its files appear at the end, or none."""

import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from paperlib import paths
from paperlib.engine.catalogue import CUSTOM, PROFILES, Notebook, find_notebook
from paperlib.engine.errors import ResultError, RunError, UsageError
from paperlib.engine.inputs import Inputs
from paperlib.engine.pages import finished_page, page_command
from paperlib.engine.parameters import Value
from paperlib.engine.results import (
    PROFILE_VARIABLE,
    RESULT_VARIABLE,
    Result,
    read_result,
    result_path,
    write_result,
)
from paperlib.engine.run_address import default_output, nearest_profile
from paperlib.engine.staleness import write_inputs
from paperlib.engine.text import shown_path
from paperlib.files import write_atomically, write_text_atomically

# Called before each cell with its number (from 0), and at the end, with the count of cells.
Progress = Callable[[int, int], None]

_INJECTED_TAGS = {"injected-parameters", "papermill-error-cell-tag"}
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Executed:
    """A finished run: where the executed notebook and the result lie; ``seconds`` include the kernel's start."""

    id: str
    profile: str
    parameters: dict[str, Value]
    notebook: Path
    result: Path
    cells: int
    seconds: float


def run_notebook(
    notebook_id: str,
    profile: str = "quick",
    overrides: Mapping[str, object] | None = None,
    output: Path | str | None = None,
    result: Path | str | None = None,
    progress: Progress | None = None,
) -> Executed:
    """Execute a notebook in ``profile`` with ``overrides``, in a fresh kernel of this Python, from the repository root.

    The executed notebook goes to ``output`` and what it recorded to ``result``. By default that is `default_output`
    and ``results/PROFILE/PAPER/NAME.json``, with the profile that the parameters equal; where they equal none, both go
    to ``results/runs/PAPER/NAME``, named by what was changed (`run_key`). What the run depended on is written beside
    the result. All are written after the last cell; where anything fails, whatever stood there before stays.

    Raises ``UsageError`` (and ``ParameterError``) before anything runs, ``SourceError`` for a malformed notebook, and
    ``RunError`` for a cell that raised, a kernel that died, or a notebook that did not record its result; the partly
    executed notebook is then kept in ``results/failed``.
    """
    start = time.perf_counter()
    notebook = find_notebook(notebook_id)
    values = notebook.values(profile, overrides)
    derived = notebook.profile_of(values, profile)
    usual_result = result_path(notebook, values, derived)
    usual_page = usual_result.with_suffix(".ipynb") if derived == CUSTOM else default_output(notebook_id, derived)
    page_path = _target(output, usual_page, ".ipynb", notebook.path)
    target = _target(result, usual_result, ".json", notebook.path)
    # As they are now: what changes while the notebook runs makes the result stale.
    inputs = Inputs().of_run(notebook, values, nearest_profile(notebook, values) if derived == CUSTOM else derived)
    with tempfile.TemporaryDirectory(prefix="paperlib-") as name:
        folder = Path(name)
        executed = _Execution(notebook, values, derived, folder, progress).run()
        recorded = _checked_result(notebook, values, derived, folder)
    command = page_command(
        notebook,
        values,
        derived,
        output="" if page_path == usual_page else shown_path(page_path),
        result="" if target == usual_result else shown_path(target),
    )
    cells = len(executed.cells)
    text = nbformat.writes(finished_page(executed, recorded, notebook, command)) + "\n"

    def write_both(temporary: Path) -> None:
        # The result is renamed into place only when the page is whole on the disk: they change together.
        temporary.write_text(text, encoding="utf-8")
        write_result(recorded, target)
        write_inputs(target, inputs)

    write_atomically(page_path, write_both)
    return Executed(notebook_id, derived, values, page_path, target, cells, time.perf_counter() - start)


def _target(given: Path | str | None, usual: Path, ending: str, source: Path) -> Path:
    if given is None:
        return usual
    path = Path(given).absolute()
    if path.suffix != ending or path.is_dir():
        raise UsageError(f"{given} is no place for this file; expected a path that ends in {ending}")
    if path.resolve() == source.resolve():
        raise UsageError(f"{given} is the notebook itself, which is kept without outputs; choose another path")
    return path


class _Execution:
    """One execution in a temporary folder, which knows the cell that it is at."""

    def __init__(
        self, notebook: Notebook, values: dict[str, Value], profile: str, folder: Path, progress: Progress | None
    ):
        self.notebook = notebook
        self.profile = profile
        self.folder = folder
        self.page = folder / "page.ipynb"
        self.progress = progress
        defaults = notebook.profile_values(PROFILES[0])
        self.changed = {name: value for name, value in values.items() if value != defaults[name]}
        self.cell = 0

    def run(self) -> NotebookNode:
        import papermill  # takes a second, which listing and checking do without

        from paperlib.engine.kernel import kernel_manager_class

        variables = {RESULT_VARIABLE: str(_recorded_path(self.folder)), PROFILE_VARIABLE: self.profile}
        cells = len(nbformat.read(self.notebook.path, as_version=4).cells) + bool(self.changed)
        try:
            executed = papermill.execute_notebook(
                self.notebook.path,
                self.page,
                parameters=self.changed,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                record_timing=False,
                kernel_manager_class=kernel_manager_class(self.folder, variables),
                resources={"metadata": {"path": str(paths.ROOT)}},
                on_cell_start=lambda cell, cell_index: self._at(cell_index, cells),
            )
        except papermill.PapermillExecutionError as error:
            trace = _ESCAPES.sub("", "\n".join(error.traceback))
            raise self._error(f"{error.ename}: {error.evalue}", error.ename, trace) from None
        except (DeadKernelError, CellTimeoutError) as error:
            why = "the kernel died; the system may have ended it for want of memory"
            raise self._error(why, type(error).__name__) from error
        self._report(cells, cells)
        return executed

    def _at(self, index: int, cells: int) -> None:
        self.cell = index
        self._report(index, cells)

    def _report(self, done: int, cells: int) -> None:
        if self.progress is not None:
            self.progress(done, cells)

    def _error(self, why: str, exception: str, trace: str = "") -> RunError:
        source = nbformat.read(self.notebook.path, as_version=4).cells
        tagged = next(i for i, cell in enumerate(source) if "parameters" in cell.metadata.get("tags", []))
        # Papermill puts a cell with the changed parameters behind the parameters cell.
        number = self.cell - bool(self.changed and self.cell > tagged)
        first = next((line.strip() for line in source[number].source.splitlines() if line.strip()), "")
        kept = keep_failed(self.notebook.id, self.page)
        place = f"{self.notebook.id}: cell {number + 1} of {len(source)}, which begins {first!r}, failed"
        message = f"{place}: {why}\n{_where_kept(kept)}"
        return RunError(
            message, notebook=self.notebook.id, cell=number + 1, exception=exception, traceback=trace, kept=kept
        )


def _recorded_path(folder: Path) -> Path:
    return folder / "result.json"


def keep_failed(notebook_id: str, page: Path) -> Path | None:
    """Copy a partly executed notebook into ``results/failed``; None where there is none or it cannot be written."""
    target = paths.LOCAL_RESULTS / "failed" / f"{notebook_id}.ipynb"
    try:
        return write_text_atomically(target, page.read_text(encoding="utf-8"))
    except OSError:
        return None


def _where_kept(kept: Path | None) -> str:
    if kept is None:
        return "The partly executed notebook could not be kept."
    return f"The partly executed notebook is {shown_path(kept)}; earlier results stay as they were."


def _checked_result(notebook: Notebook, values: dict[str, Value], profile: str, folder: Path) -> Result:
    """What the run recorded; raises ``RunError`` where it recorded nothing or something else than was asked for."""
    path = _recorded_path(folder)
    try:
        recorded = read_result(path) if path.is_file() else None
    except ResultError as error:
        recorded, problem = None, f"recorded a damaged result: {error}"
    else:
        problem = "ran to its end but recorded no result; it has to call start_run(...).record(...)"
    if recorded is not None:
        found, asked = (recorded.id, recorded.profile, recorded.parameters), (notebook.id, profile, values)
        if found == asked:
            return recorded
        problem = f"recorded a result as {found}, where the run is {asked}; see its start_run"
    kept = keep_failed(notebook.id, folder / "page.ipynb")
    raise RunError(f"{notebook.id} {problem}\n{_where_kept(kept)}", notebook=notebook.id, kept=kept)
