"""Sphinx extension: results, claims and the status of the compendium inside the book.

In MyST Markdown::

    {result}`generalizability/mnist_training#balanced.test_accuracy | paper | .2%`
    {claim}`generalizability.claim.01`

    ```{claims} generalizability
    :ids: 01 02 05
    ```

    ```{status}
    ```

A result that is not there is shown as a red note with the command that makes it, and is a warning, so that a strict
build fails. Pages are read again when a result, a claims file or a catalogue that they show has changed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole

from paperlib import paths
from paperlib.engine.catalogue import PROFILES, Notebook, catalogue_path, find_notebook, papers, read_catalogue
from paperlib.engine.claims import (
    Claim,
    Judgement,
    Status,
    claimed_papers,
    claims_path,
    count_by_status,
    judge_claims,
    load_claims,
)
from paperlib.engine.errors import ClaimsError, MissingResultError, UsageError
from paperlib.engine.results import find_result, load_result, local_path, tracked_path
from paperlib.engine.sphinx_accessibility import add_accessibility
from paperlib.engine.sphinx_base import EngineDirective, connect, missing_note, or_missing, warn, watch
from paperlib.engine.sphinx_figures import add_directives as add_figure_directives
from paperlib.engine.sphinx_nodes import Cell, add_nodes, table
from paperlib.engine.sphinx_theorems import add_directives as add_theorem_directives
from paperlib.engine.tables import claim_words, paper_words, value_words
from paperlib.engine.text import format_value, nearest

_STATIC = Path(__file__).parent / "static"
_CLAIM_HEADS = ("id", "place", "quantity", "paper", "ours", "profile and data", "tolerance", "status", "reason")
_STATUS_HEADS = ("notebook", "covers", "profile", "cost", "result", "seconds", "commit", "date")


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
        watch(self.env, _result_files(notebook_id, [options[0]]))
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
            return [nodes.Text(f"{paper}, not measured here{blocked}")]
        return [nodes.Text(f"{paper}, {value_words(claim, row.value)} here ({row.status.value})")]


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
        return [table(f"Claims of {paper}: the paper beside this book", _CLAIM_HEADS, rows)]

    def _row(self, row: Judgement) -> list[Cell]:
        id, place, quantity, paper, ours, where, tolerance, status, reason = claim_words(row)
        short = nodes.literal("", id.removeprefix(f"{row.claim.paper}."))
        measured = [missing_note(row.command)] if row.missing else [nodes.Text(ours)]
        if row.profile is not None:
            measured = [_page_link(self.env, row.claim.notebook, ours)]
        mark = nodes.inline("", status, classes=["paperlib-status", f"paperlib-status-{status}"])
        return [
            Cell(short),
            Cell(place, classes=["paperlib-short"]),
            Cell(*self.inline(quantity), classes=["paperlib-words"]),
            Cell(paper),
            Cell(*measured),
            Cell(where),
            Cell(*self.inline(tolerance)),
            Cell(mark),
            Cell(*([] if row.missing else self.inline(reason)), classes=["paperlib-words"]),
        ]


class StatusDirective(EngineDirective):
    """Tables of all notebooks with their results, and of all claims by status."""

    def content_nodes(self) -> list[nodes.Node]:
        watch(self.env, [catalogue_path(paper) for paper in papers()])
        rows = [row for notebook in read_catalogue().values() for row in self._notebook_rows(notebook)]
        tables = [table("Notebooks and their results", _STATUS_HEADS, rows, row_headers=False)]
        claims = [claim for paper in claimed_papers() for claim in _claims(self.env, paper)]
        counts = count_by_status(judge_claims(claims))
        count_rows = [
            [Cell(paper), *(Cell(str(count[status.value])) for status in Status), Cell(str(sum(count.values())))]
            for paper, count in counts.items()
        ]
        heads = ("paper", *(status.value for status in Status), "all")
        return [*tables, table("Claims by status", heads, count_rows)] if counts else tables

    def _notebook_rows(self, notebook: Notebook) -> list[list[Cell]]:
        watch(self.env, _result_files(notebook.id, PROFILES))
        title = Cell(_page_link(self.env, notebook.id, notebook.title), rows=len(PROFILES))
        covers = Cell(", ".join(notebook.covers), rows=len(PROFILES))
        rows = [self._profile_cells(notebook, profile) for profile in PROFILES]
        return [[title, covers, *rows[0]], *rows[1:]]

    def _profile_cells(self, notebook: Notebook, profile: str) -> list[Cell]:
        first = [Cell(profile), Cell(getattr(notebook.cost, profile))]
        found = find_result(notebook.id, profile)
        if found is None:
            return [*first, Cell("none"), Cell(""), Cell(""), Cell("")]
        result = load_result(notebook.id, profile)
        where = "tracked" if found == tracked_path(notebook.id, profile) else "of this machine"
        commit = nodes.literal("", result.commit) if result.commit else "none"
        date = Cell(result.date[:10], classes=["paperlib-short"])
        return [*first, Cell(where), Cell(f"{result.seconds:,.1f}"), Cell(commit), date]


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
            watch(env, _result_files(claim.notebook, claim.profiles))
    return chosen


def _page_link(env: BuildEnvironment, notebook_id: str, text: str) -> nodes.Node:
    """A link to the executed notebook's page where the book has one, else the text."""
    page = paths.EXECUTED / f"{notebook_id}.ipynb"
    watch(env, [page])
    source = Path(env.srcdir).resolve()
    inside = page.resolve().is_relative_to(source)
    document = str(page.resolve().relative_to(source).with_suffix("")) if inside else ""
    if document not in env.found_docs:
        return nodes.Text(text)
    options = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{document}", "refexplicit": True}
    return addnodes.pending_xref("", nodes.inline("", text), refdoc=env.docname, refwarn=True, **options)


def _result_files(notebook_id: str, profiles: Sequence[str]) -> list[Path]:
    return [place(notebook_id, profile) for profile in profiles for place in (local_path, tracked_path)]


def _add_static(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_STATIC))


def setup(app: Sphinx) -> dict[str, object]:
    """Register roles, directives, the container node, the style sheet and what decides which pages to read again."""
    app.add_role("result", ResultRole())
    app.add_role("claim", ClaimRole())
    app.add_directive("claims", ClaimsDirective)
    app.add_directive("status", StatusDirective)
    add_nodes(app)
    add_theorem_directives(app)
    add_figure_directives(app)
    add_accessibility(app)
    app.add_css_file("paperlib.css")
    app.connect("config-inited", _add_static)
    connect(app)
    return {"version": "1", "env_version": 2, "parallel_read_safe": True, "parallel_write_safe": True}
