"""Sphinx extension: results, claims and the status of the compendium inside the book.

In MyST Markdown::

    {result}`generalizability/mnist_training#balanced.test_accuracy | paper | .2%`
    {claim}`generalizability.claim.01`

    ```{claims} generalizability
    :ids: 01 02 05
    ```

    ```{status} claims
    ```

    ```{errata} svr/oddities
    ```

A result that is not there is shown as a red note with the command that makes it, and is a warning, so that a strict
build fails. Pages are read again when a result, a claims file or a catalogue that they show has changed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole

from paperlib.engine.catalogue import find_notebook
from paperlib.engine.claims import (
    Claim,
    Judgement,
    Status,
    claimed_papers,
    claims_path,
    judge_claims,
    load_claims,
)
from paperlib.engine.errors import ClaimsError, MissingResultError, UsageError
from paperlib.engine.results import load_result
from paperlib.engine.sphinx_accessibility import add_accessibility
from paperlib.engine.sphinx_base import (
    EngineDirective,
    connect,
    missing_note,
    or_missing,
    page_link,
    result_files,
    warn,
    watch,
    with_formulas,
)
from paperlib.engine.sphinx_errata import add_directives as add_errata_directives
from paperlib.engine.sphinx_figures import add_directives as add_figure_directives
from paperlib.engine.sphinx_nodes import Cell, add_nodes, table
from paperlib.engine.sphinx_numbers import add_numbers
from paperlib.engine.sphinx_pages import connect_pages
from paperlib.engine.sphinx_status import add_directives as add_status_directives
from paperlib.engine.sphinx_theorems import add_directives as add_theorem_directives
from paperlib.engine.tables import claim_words, paper_words, value_words
from paperlib.engine.text import format_value, nearest

_STATIC = Path(__file__).parent / "static"
_CLAIM_HEADS = ("id", "place", "quantity", "paper", "ours", "profile and data", "tolerance", "status", "reason")


class ResultRole(SphinxRole):
    """``{result}`ID#path | profile | format``` : a number of a result."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return or_missing(self, self._nodes)

    def _nodes(self) -> list[nodes.Node]:
        target, *options = (part.strip() for part in self.text.split("|"))
        notebook_id, separator, path = target.partition("#")
        if not separator or not path or len(options) not in (1, 2):
            raise UsageError(
                f"{self.text!r} is no result; expected ID#path | profile | format (the format is optional)"
            )
        find_notebook(notebook_id)
        watch(self.env, result_files(notebook_id, [options[0]]))
        value = load_result(notebook_id, options[0]).value(path)
        try:
            return [nodes.Text(format_value(value, *options[1:]))]
        except (ValueError, TypeError) as error:
            raise UsageError(f"the format {options[1]!r} does not fit {value!r} ({error})") from None


class ClaimRole(SphinxRole):
    """``{claim}`ID```: the paper's value, ours, and whether they match."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return or_missing(self, self._nodes)

    def _nodes(self) -> list[nodes.Node]:
        claim = _claims(self.env, self.text.partition(".")[0], [self.text.strip()])[0]
        row = judge_claims([claim])[0]
        if row.missing:
            raise MissingResultError(f"no result for {claim.id}; make it with: {row.command}", row.command)
        paper = f"{paper_words(claim)} in the paper"
        if row.profile is None:
            blocked = " (its data cannot be had)" if row.status == Status.BLOCKED else ""
            return with_formulas(f"{paper}, not measured here{blocked}")
        return with_formulas(f"{paper}, {value_words(claim, row.value)} here ({row.status.value})")


class ClaimsDirective(EngineDirective):
    """Table of a paper's claims beside ours; ``:ids:`` chooses rows and their order."""

    required_arguments = 1
    option_spec: ClassVar[dict] = {"ids": lambda text: (text or "").replace(",", " ").split()}

    def content_nodes(self) -> list[nodes.Node]:
        paper = self.arguments[0]
        judgements = judge_claims(_claims(self.env, paper, self.options.get("ids")))
        for row in judgements:
            if row.missing:
                error = MissingResultError(f"no result for {row.claim.id}; make it with: {row.command}", row.command)
                warn(self.env, error, self.get_location())
        rows = [self._row(row) for row in judgements]
        chosen = _span(judgements) if "ids" in self.options else "Claims"
        return [table(f"{chosen} of {paper}: the paper beside this book", _CLAIM_HEADS, rows)]

    def _row(self, row: Judgement) -> list[Cell]:
        _, place, quantity, paper, ours, where, tolerance, status, reason = claim_words(row)
        short = nodes.literal("", _short(row.claim))
        measured = [missing_note(row.command)] if row.missing else [nodes.Text(ours)]
        if row.profile is not None:
            measured = [page_link(self.env, row.claim.notebook, ours)]
        mark = nodes.inline("", status, classes=["paperlib-status", f"paperlib-status-{status}"])
        return [
            Cell(short),
            Cell(place),
            Cell(*self.inline(quantity), classes=["paperlib-words"]),
            Cell(*with_formulas(paper)),
            Cell(*measured),
            Cell(where),
            Cell(*self.inline(tolerance)),
            Cell(mark),
            Cell(*([] if row.missing else self.inline(reason)), classes=["paperlib-words"]),
        ]


def _short(claim: Claim) -> str:
    return claim.id.removeprefix(f"{claim.paper}.")


def _span(rows: Sequence[Judgement]) -> str:
    """Some claims by the first and the last of them, so that no two tables of a page have one name."""
    names = [_short(row.claim).removeprefix("claim.") for row in rows]
    shown = names if len(names) < 4 else [names[0], "…", names[-1]]
    return f"Claim{'s' * (len(names) > 1)} {', '.join(shown)}"


def _claims(env: BuildEnvironment, paper: str, ids: Sequence[str] | None = None) -> list[Claim]:
    """Claims of a paper, or those named (``01``, ``prop.01`` or in full), watched with their results."""
    watch(env, [claims_path(paper)] if paper in claimed_papers() else [])
    known = {claim.id: claim for claim in load_claims(paper)}
    chosen = []
    for name in known if ids is None else ids:
        full = next((full for full in (name, f"{paper}.{name}", f"{paper}.claim.{name}") if full in known), None)
        if full is None:
            raise ClaimsError(f"no claim {name!r} of {paper}.{nearest(f'{paper}.claim.{name}', known)}")
        chosen.append(known[full])
    for claim in chosen:
        if claim.measurable:
            watch(env, result_files(claim.notebook, claim.profiles))
    return chosen


def _add_static(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_STATIC))


def setup(app: Sphinx) -> dict[str, object]:
    """Register roles, directives, the container node, the style sheet and what decides which pages to read again."""
    app.add_role("result", ResultRole())
    app.add_role("claim", ClaimRole())
    app.add_directive("claims", ClaimsDirective)
    add_nodes(app)
    add_theorem_directives(app)
    add_figure_directives(app)
    add_errata_directives(app)
    add_status_directives(app)
    add_accessibility(app)
    add_numbers(app)
    app.add_css_file("paperlib.css")
    app.connect("config-inited", _add_static)
    connect(app)
    connect_pages(app)
    return {"version": "1", "env_version": 3, "parallel_read_safe": True, "parallel_write_safe": True}
