"""The command ``paperlib status``: which pages have to be made again, and why."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from paperlib.engine import tables
from paperlib.engine.catalogue import find_notebook
from paperlib.engine.staleness import page_states


def status(
    notebook: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these notebooks; paperlib list shows them.")
    ] = None,
    profile: Annotated[str, typer.Option(help="quick, laptop or paper.")] = "quick",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a page is stale.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table.")] = False,
) -> None:
    """Say which pages are fresh, stale or missing, and why.

    Examples:

        paperlib status
        paperlib status generalizability/fig01_rank_k_accuracy --profile laptop
        paperlib status --json --strict

    A page is stale when something that its run depended on has changed since: a cell, the value of a parameter, a
    module that it uses, the pinned version of a package, a row of the data registry, a kept checkpoint or result.
    **make book** (in other profiles: make results) makes exactly the stale and the missing ones again. Results that
    are tracked in data/results come from other machines and are not judged.

    Exit codes: 0 done; 1 a page is stale, with --strict; 2 unknown notebook or profile; 3 a notebook, a catalogue or a
    module is missing or malformed.
    """
    chosen = [find_notebook(notebook_id).id for notebook_id in notebook or []]
    states = page_states(chosen or None, profile)
    if as_json:
        typer.echo(json.dumps([state.as_json() for state in states], indent=1, ensure_ascii=False))
    else:
        console = Console() if sys.stdout.isatty() else Console(width=200)
        console.print(tables.status_table(states))
        console.print(tables.status_summary(states), highlight=False)
    if strict and any(state.state == "stale" for state in states):
        raise typer.Exit(1)
