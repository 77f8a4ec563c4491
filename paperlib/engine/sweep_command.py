"""The command ``paperlib sweep``: a grid of runs through the workflow, and the page that sets them side by side."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from paperlib import paths
from paperlib.engine.catalogue import find_notebook
from paperlib.engine.errors import EngineError
from paperlib.engine.grid import GridRun, grid_runs
from paperlib.engine.inputs import Inputs
from paperlib.engine.run_address import nearest_profile
from paperlib.engine.run_pages import forget_failure, keep_failure, write_run_pages
from paperlib.engine.staleness import changes
from paperlib.engine.text import shown_path

# Seconds that the workflow has to end its runs when it is told to.
_PATIENCE = 30
_STANDARD_ERROR = 2


def sweep(
    notebook: Annotated[str, typer.Argument(metavar="ID", help="A notebook as PAPER/NAME; paperlib list shows them.")],
    parameter: Annotated[
        list[str],
        typer.Option("-p", "--parameter", metavar="NAME=A,B,C", help="Values of a parameter; given several times."),
    ],
    profile: Annotated[str, typer.Option(help="Of the other parameters: quick, laptop or paper.")] = "quick",
    cores: Annotated[int, typer.Option(min=1, help="Runs side by side, one core each.")] = 2,
) -> None:
    """Run one notebook for every combination of several parameters' values, and compare the runs.

    Examples:

        paperlib sweep generalizability/fig01_rank_k_accuracy -p rank_max=3,5
        paperlib sweep generalizability/fig01_rank_k_accuracy -p rank_max=3,5 -p seed=0,1,2 --cores 4
        paperlib sweep generalizability/fig01_rank_k_accuracy -p "removed_digits=1,9;2,3"

    Values have commas between them; lists, whose elements have the commas, have semicolons. All are checked before
    anything runs. Each run's files are results/runs/PAPER/NAME/KEY.ipynb, .json and .html, where KEY names what was
    changed; results/runs/PAPER/NAME/index.html sets all runs of the notebook side by side. Runs that are there and
    whose notebook, library, data and versions are unchanged are not made again, so that the same command goes on
    after an interruption.

    Exit codes: 0 done; 1 a run failed (the others are kept); 2 unknown notebook or profile, or a value that is
    misspelt, of the wrong type or out of range; 3 a file of the compendium is missing or damaged; 130 interrupted.
    """
    declared = find_notebook(notebook)
    runs = {run.key: run for run in grid_runs(declared, profile, parameter)}
    waiting = _waiting(list(runs.values()))
    here = len(runs) - len(waiting)
    typer.echo(f"{_counted(len(runs), 'run')}: {here} here already, {len(waiting)} to make")
    interrupted = bool(waiting) and _workflow(waiting, profile, cores)
    failed = _waiting(waiting)
    for run in waiting:
        if run in failed and not interrupted:
            keep_failure(run.result, _error(run))
        elif run not in failed:
            forget_failure(run.result)
    page = write_run_pages(notebook)
    for run in failed if not interrupted else []:
        typer.echo(f"Error: {run.key}: {_error(run)}", err=True)
    typer.echo(f"{_counted(len(runs) - len(failed), 'run')} side by side:\n{shown_path(page)}")
    if failed:
        raise typer.Exit(130 if interrupted else 1)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _waiting(runs: list[GridRun]) -> list[GridRun]:
    """Those that are not here, or of inputs that have changed since."""
    inputs = Inputs()
    return [run for run in runs if not _is_done(run, inputs)]


def _is_done(run: GridRun, inputs: Inputs) -> bool:
    if not run.result.is_file() or not run.result.with_suffix(".ipynb").is_file():
        return False
    now = inputs.of_run(run.notebook, run.values, nearest_profile(run.notebook, run.values))
    return not changes(run.result, now)


def _workflow(runs: list[GridRun], profile: str, cores: int) -> bool:
    """Make these runs by Snakemake, and return whether it was interrupted; which failed is seen by their files."""
    if not (paths.ROOT / "Snakefile").is_file():
        raise EngineError(f"{paths.ROOT} has no Snakefile; sweep needs the whole repository")
    targets = [str(run.result.relative_to(paths.ROOT)) for run in runs]
    search = os.pathsep.join(filter(None, [str(paths.ROOT / "workflow"), os.environ.get("PYTHONPATH")]))
    for run in runs:
        # The log of an earlier run would tell an error of its own.
        _log(run).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="paperlib-") as folder:
        plan = Path(folder, "plan.json")
        wanted = {run.key: run.arguments for run in runs}
        plan.write_text(json.dumps({"id": runs[0].notebook.id, "runs": wanted}), encoding="utf-8")
        # What is stale has been decided here; what Snakemake remembers of the files plays no part.
        options = ["--forcerun", *targets, "--cores", str(cores), "--keep-going", "--rerun-incomplete"]
        config = ["--config", f"runs={plan}", f"profile={profile}", "--logger", "compendium"]
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *targets, *options, *config],
            cwd=paths.ROOT,
            env=os.environ | {"PYTHONPATH": search},
            stdout=_STANDARD_ERROR,
        )
        try:
            process.wait()
        except (KeyboardInterrupt, SystemExit):
            # At a terminal it has been interrupted too; it then ends its runs and tidies up.
            process.terminate()
            process.wait(_PATIENCE)
            return True
    return False


def _log(run: GridRun) -> Path:
    return paths.ROOT / "build" / "logs" / "runs" / run.notebook.id / f"{run.key}.log"


def _error(run: GridRun) -> str:
    """What the log of a failed run says last."""
    log = _log(run)
    if not log.is_file():
        return "it was not started; the messages above say why"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    start = max((number for number, line in enumerate(lines) if line.startswith("Error: ")), default=None)
    if start is None:
        return f"the run ended without an explanation; its log is {shown_path(log)}"
    return "\n".join(lines[start:]).removeprefix("Error: ").strip()
