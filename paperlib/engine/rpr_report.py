"""What ``paperlib rpr`` shows: progress on standard error, the lowest images on standard output."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from paperlib.engine.text import shown_path

if TYPE_CHECKING:
    from paperlib.ratios import RatioRow, RatioTable

_SHOWN = 10


class Reporter:
    """A bar on a terminal, else one line for each image, on standard error."""

    def __init__(self, total: int, done: int):
        self.total, self.done = total, done
        columns = (TextColumn("RPR"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        console = Console(stderr=True)
        # Not the console's own opinion: notebooks and CI ask for colours where nobody sees a bar.
        self.bar = Progress(*columns, TimeElapsedColumn(), console=console) if sys.stderr.isatty() else None

    def __enter__(self) -> "Reporter":
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("", total=self.total, completed=self.done)
        if self.done:
            self.say(f"{self.done} of {self.total} images are done already.")
        return self

    def __exit__(self, *error) -> None:
        if self.bar:
            self.bar.stop()

    def show(self, row: "RatioRow") -> None:
        """One more image is done."""
        self.done += 1
        result = f"failed: {row.note}" if row.note else f"RPR {row.ratio:.4g}, {row.products} products"
        if self.bar:
            self.bar.update(self.task, advance=1, description=escape(f"{row.name} {result}"))
        else:
            self.say(f"[{self.done}/{self.total}] {row.name}: {result}, {row.seconds:.1f} s")

    def say(self, text: str) -> None:
        """A line beside the progress."""
        if self.bar:
            self.bar.console.print(escape(text))
        else:
            typer.echo(text, err=True)


def print_table(table: "RatioTable", out: Path, computed: int) -> None:
    """The lowest ratios, which solver ran, and where the whole table lies."""
    console = Console() if sys.stdout.isatty() else Console(width=120, force_terminal=False)
    title = f"Lowest right projection ratios (k = {table.k}), the candidates for labelling"
    shown = Table(title=title, title_justify="left")
    shown.add_column("image", overflow="fold")
    for heading in (f"RPR({table.k})", "s_1", f"s_{table.k}", "largest residual", "products", "seconds"):
        shown.add_column(heading, justify="right")
    for row in table.measured[:_SHOWN]:
        values = (f"{row.ratio:.4g}", f"{row.singular_values[0]:.4g}", f"{row.singular_values[-1]:.4g}")
        work = (f"{max(row.residuals):.1e}", str(row.products), f"{row.seconds:.2f}")
        shown.add_row(escape(row.name), *values, *work)
    if table.measured:
        console.print(shown)
    for row in table.failed[:_SHOWN]:
        console.print(f"failed: {escape(row.name)}: {escape(row.note)}", highlight=False)
    counts = f"{computed} of {len(table)} images computed now"
    solvers = ", ".join(sorted({row.solver for row in table.measured})) or "none"
    console.print(
        f"{counts}; solver: {escape(solvers)}; table: {escape(shown_path(out))}", soft_wrap=True, highlight=False
    )


def as_json(table: "RatioTable", out: Path, computed: int) -> str:
    """The whole table for a program."""
    rows = [
        {
            "name": row.name,
            "rpr": list(row.rpr),
            "singular_values": list(row.singular_values),
            "residuals": list(row.residuals),
            "products": row.products,
            "seconds": row.seconds,
            "solver": row.solver,
            "note": row.note,
        }
        for row in table.rows
    ]
    summary = {"out": str(out), "k": table.k, "computed": computed, "failed": len(table.failed), "rows": rows}
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
