"""The command line ``paperlib``: run notebooks, list them, compare with the papers, find data, track results."""

import functools
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from paperlib.engine import tables
from paperlib.engine.catalogue import CUSTOM, find_notebook, read_catalogue
from paperlib.engine.claims import judge_claims, load_claims, unexplained
from paperlib.engine.errors import EngineError, RunError
from paperlib.engine.parameters import parse_overrides
from paperlib.engine.results import read_result, track_result
from paperlib.engine.rpr_command import rpr
from paperlib.engine.status_command import status
from paperlib.engine.sweep_command import sweep
from paperlib.engine.text import shown_path

_EXIT_CODES = """
Exit codes: 0 done; 1 the run failed (or a claim is unexplained, with --strict); 2 wrong usage, such as an unknown
notebook or profile, or a parameter that is misspelt, of the wrong type or out of range; 3 data, a result or a file
of the compendium is missing or damaged.
"""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=f"""
Run the notebooks of the compendium and compare what they measure with the papers.

Start with **paperlib list**, then run one of its notebooks:

    paperlib run generalizability/fig01_rank_k_accuracy

A run is a set of parameters. Profile **quick** (the default) takes seconds and needs no download,
**laptop** takes the full public data on a CPU, **paper** the paper's own settings.
{_EXIT_CODES}""",
)
data_app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=f"""
Show the data sets and where each was found, or fetch one.

Examples:

    paperlib data                   what there is, and what is here
    paperlib data --check           also read every file that is here and check its SHA-256
    paperlib data fetch mnist       download what is missing, checked

Files are taken from the first of $PAPERLIB_DATA/NAME, a system package, the local cache, and the public addresses.
{_EXIT_CODES}""",
)
app.add_typer(data_app, name="data")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table.")]
Identifier = Annotated[str, typer.Argument(metavar="ID", help="A notebook as PAPER/NAME; paperlib list shows them.")]


def main() -> None:
    """Entry point of the command ``paperlib``."""
    # A workflow engine ends a run by this signal; the run then takes its kernel and temporary files with it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    app()


def _explained(command: Callable) -> Callable:
    """Turn the errors that have an explanation into that explanation on standard error, and their exit code."""

    @functools.wraps(command)
    def wrapper(*arguments, **options):
        try:
            return command(*arguments, **options)
        except EngineError as error:
            if isinstance(error, RunError) and error.traceback:
                typer.echo(error.traceback, err=True)
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted; the files of earlier runs stay as they were.", err=True)
            raise typer.Exit(130) from None

    return wrapper


def _print_json(rows: object) -> None:
    typer.echo(json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False))


def _console() -> Console:
    # Rich takes 80 columns where nobody looks, which cuts the ids that a pipe's reader is after.
    return Console() if sys.stdout.isatty() else Console(width=200)


@app.command()
@_explained
def run(
    notebook: Identifier,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Set a parameter; may be given several times."),
    ] = None,
    profile: Annotated[str, typer.Option(help="quick, laptop or paper.")] = "quick",
    output: Annotated[Path | None, typer.Option(metavar="X.ipynb", help="Where the executed notebook goes.")] = None,
    result: Annotated[Path | None, typer.Option(metavar="X.json", help="Where the result goes.")] = None,
    as_json: Json = False,
) -> None:
    """Run one notebook.

    Examples:

        paperlib run generalizability/fig01_rank_k_accuracy
        paperlib run generalizability/fig01_rank_k_accuracy --profile laptop
        paperlib run generalizability/fig01_rank_k_accuracy -p rank_max=5 -p "digits=1,9"

    Parameters are checked before anything runs; **paperlib list ID** shows them. The executed notebook goes
    to book/run/PAPER/NAME.ipynb in profile quick, else to results/PROFILE/PAPER/NAME.ipynb; the result to
    results/PROFILE/PAPER/NAME.json. Parameters that equal no profile make profile 'custom': both files go to
    results/runs/PAPER/NAME/, named by what was changed, and results/runs/index.html lists them. If a cell fails,
    the files of earlier runs stay, and the partly executed notebook is kept in results/failed/.

    Exit codes: 0 done; 1 a cell failed; 2 unknown notebook, profile or parameter, or a value of the wrong type or out
    of range; 3 data or a needed result is missing or damaged.
    """
    declared = find_notebook(notebook)
    overrides = parse_overrides(declared.parameters, parameter or [])
    from paperlib.engine.runner import run_notebook  # Jupyter's client takes a second to import

    if sys.stderr.isatty():
        with _progress_bar(notebook) as progress:
            done = run_notebook(notebook, profile, overrides, output, result, progress)
    else:
        done = run_notebook(notebook, profile, overrides, output, result)
    if done.profile == CUSTOM and output is None and result is None:
        from paperlib.engine.run_pages import forget_failure, write_run_pages

        forget_failure(done.result)
        write_run_pages(notebook)
    if as_json:
        row = {"id": done.id, "profile": done.profile, "parameters": done.parameters, "seconds": done.seconds}
        _print_json(row | {"notebook": str(done.notebook), "result": str(done.result)})
        return
    places = f"{shown_path(done.notebook)}, {shown_path(done.result)}"
    typer.echo(f"{done.id} ({done.profile}): {done.cells} cells in {done.seconds:.1f} s -> {places}")


@contextmanager
def _progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Progress callback that draws a bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@app.command("list")
@_explained
def list_notebooks(
    notebook: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this notebook's parameters.")] = None,
    as_json: Json = False,
) -> None:
    """List the notebooks: what each covers and costs; with an ID, its parameters.

    Examples:

        paperlib list
        paperlib list generalizability/fig01_rank_k_accuracy
        paperlib list --json
    """
    chosen = [find_notebook(notebook)] if notebook else list(read_catalogue().values())
    if as_json:
        _print_json([tables.notebook_row(row) for row in chosen])
        return
    _console().print(tables.parameter_table(chosen[0]) if notebook else tables.notebook_table(chosen))


@app.command()
@_explained
def claims(
    paper: Annotated[str | None, typer.Option(help="Only this paper's claims.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if a claim differs without a reason or lacks its result.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Set the papers' claims beside what was measured here.

    Status: match, differs, not-measured (quoted from others, or no result here), blocked (the data cannot be had).

    Examples:

        paperlib claims --paper generalizability
        paperlib claims --json
        paperlib claims --strict
    """
    rows = judge_claims(load_claims(paper))
    if as_json:
        _print_json([row.as_json() for row in rows])
    else:
        _console().print(tables.claims_table(rows))
    open_rows = unexplained(rows) if strict else []
    for row in open_rows:
        what = f"no result; make it with: {row.command}" if row.missing else "differs, and the row gives no reason"
        typer.echo(f"Error: {row.claim.id}: {what}", err=True)
    if open_rows:
        raise typer.Exit(1)


@app.command()
@_explained
def track(
    notebook: Identifier,
    profile: Annotated[str, typer.Option(help="The profile whose local result is to be tracked.")],
) -> None:
    """Copy a local result into data/results, where it is under version control and the book shows it.

    Example:

        paperlib track generalizability/mnist_training --profile paper
    """
    path = track_result(notebook, profile)
    typer.echo(f"tracked {shown_path(path)}")
    commit = read_result(path).commit
    if commit is None or commit.endswith("+"):
        typer.echo("Note: this result was measured with code that no commit holds.", err=True)


for _command in (rpr, status, sweep):
    app.command()(_explained(_command))


@data_app.callback()
@_explained
def data(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Read every file that is here and check it.")] = False,
    as_json: Json = False,
) -> None:
    if context.invoked_subcommand is None:
        _list_data(check, as_json)
    else:
        # Options may stand before the command, as in 'paperlib data --json list'.
        context.obj = (check, as_json)


@data_app.command("list")
@_explained
def list_data(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Read every file that is here and check it.")] = False,
    as_json: Json = False,
) -> None:
    """List the data sets and where each was found."""
    before = context.obj or (False, False)
    _list_data(check or before[0], as_json or before[1])


def _list_data(check: bool, as_json: bool) -> None:
    from paperlib.engine import data_sets  # loads torch, which takes seconds

    found, problems = data_sets.data_rows(check)
    if as_json:
        _print_json(found)
    else:
        _console().print(tables.data_table(found))
    for problem in problems:
        typer.echo(f"Error: {problem}", err=True)
    if problems:
        raise typer.Exit(3)


@data_app.command()
@_explained
def fetch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set; paperlib data shows them.")],
    as_json: Json = False,
) -> None:
    """Find a data set, download what is missing, and check all of it.

    Example:

        paperlib data fetch mnist
    """
    from paperlib.engine import data_sets

    parts = data_sets.fetch(name)
    if as_json or (context.obj or (False, False))[1]:
        _print_json(parts)
        return
    for part in parts:
        typer.echo(escape(f"{part['name']} {part['part']}: {part['count']:,} items, from {part['source']}"))
