"""A directive for the state of the compendium.

````md
```{status} claims
```
````

Its argument is one of ``claims`` (counted by status, for each profile), ``figures`` (on which data), ``notebooks``
(their results) and ``versions`` (what they were computed with).
"""

from collections import Counter
from collections.abc import Sequence

from docutils import nodes
from sphinx.application import Sphinx

from paperlib.engine.catalogue import PROFILES, Notebook, catalogue_path, papers, read_catalogue
from paperlib.engine.claims import Status, claimed_papers, claims_path, count_by_status, judge_claims, load_claims
from paperlib.engine.errors import UsageError
from paperlib.engine.overview import Basis, counts_by_profile, covered_figures
from paperlib.engine.results import find_result, load_result, tracked_path
from paperlib.engine.sphinx_base import EngineDirective, page_link, result_files, watch
from paperlib.engine.sphinx_nodes import Cell, table
from paperlib.engine.text import nearest

_NOTEBOOK_HEADS = ("notebook", "covers", "profile", "cost", "result", "seconds", "commit", "date")
_JUDGED = "as judged"


class StatusDirective(EngineDirective):
    """One of the tables."""

    required_arguments = 1

    def content_nodes(self) -> list[nodes.Node]:
        made = {"claims": self._claims, "figures": self._figures, "notebooks": self._notebooks}
        made["versions"] = self._versions
        part = self.arguments[0]
        if part not in made:
            raise UsageError(f"{part!r} is no part of the status.{nearest(part, made)} Known: {', '.join(made)}")
        watch(self.env, [catalogue_path(paper) for paper in papers()])
        for notebook in read_catalogue().values():
            watch(self.env, result_files(notebook.id, PROFILES))
        return [made[part]()]

    def _claims(self) -> nodes.Node:
        watch(self.env, [claims_path(paper) for paper in claimed_papers()])
        rows = []
        for paper in claimed_papers():
            claims = load_claims(paper)
            judged = count_by_status(judge_claims(claims))[paper]
            counts = {_JUDGED: {status: judged[status.value] for status in Status}} | counts_by_profile(claims)
            first = Cell(paper, rows=len(counts))
            lines = [[Cell(name), *_counted(found), Cell(str(len(claims)))] for name, found in counts.items()]
            rows += [[first, *lines[0]], *lines[1:]]
        heads = ("paper", "profile", *(status.value for status in Status), "all")
        return table("Claims by status", heads, rows, row_headers=False)

    def _figures(self) -> nodes.Node:
        figures = covered_figures(read_catalogue().values())
        rows = []
        for paper in papers():
            own = [figure for figure in figures if figure.paper == paper]
            for basis in Basis:
                chosen = [figure for figure in own if figure.basis == basis]
                if chosen:
                    which = ", ".join(figure.name for figure in chosen)
                    stand_ins = "; ".join(dict.fromkeys(figure.stand_in for figure in chosen if figure.stand_in))
                    rows.append([Cell(paper), Cell(basis.value), Cell(str(len(chosen))), Cell(which), Cell(stand_ins)])
        counts = Counter(figure.basis for figure in figures)
        rows += [
            [Cell("all"), Cell(basis.value), Cell(str(counts[basis])), Cell(""), Cell("")]
            for basis in Basis
            if counts[basis]
        ]
        heads = ("paper", "drawn from", "count", "figures and tables of the paper", "what stands in for what")
        return table("Figures and tables by the data that they are drawn from", heads, rows, row_headers=False)

    def _notebooks(self) -> nodes.Node:
        rows = [row for notebook in read_catalogue().values() for row in self._notebook_rows(notebook)]
        return table("Notebooks and their results", _NOTEBOOK_HEADS, rows, row_headers=False)

    def _notebook_rows(self, notebook: Notebook) -> list[list[Cell]]:
        title = Cell(page_link(self.env, notebook.id, notebook.title), rows=len(PROFILES))
        covers = Cell(", ".join(notebook.covers), rows=len(PROFILES))
        rows = [_profile_cells(notebook, profile) for profile in PROFILES]
        return [[title, covers, *rows[0]], *rows[1:]]

    def _versions(self) -> nodes.Node:
        found = [(id, profile) for id in read_catalogue() for profile in PROFILES if find_result(id, profile)]
        used = Counter(tuple(load_result(*one).versions.items()) for one in found)
        names = list(dict.fromkeys(name for versions in used for name, _ in versions))
        rows = [
            [Cell(str(count)), *(Cell(dict(versions).get(name, "")) for name in names)]
            for versions, count in used.most_common()
        ]
        return table("Versions that the results were computed with", ("results", *names), rows, row_headers=False)


def _counted(found: dict[Status, int]) -> list[Cell]:
    return [Cell(_mark(status, str(found[status])) if found[status] else "0") for status in Status]


def _mark(status: Status, words: str) -> nodes.inline:
    return nodes.inline("", words, classes=["paperlib-status", f"paperlib-status-{status.value}"])


def _profile_cells(notebook: Notebook, profile: str) -> Sequence[Cell]:
    first = [Cell(profile), Cell(getattr(notebook.cost, profile))]
    found = find_result(notebook.id, profile)
    if found is None:
        return [*first, Cell("none"), Cell(""), Cell(""), Cell("")]
    result = load_result(notebook.id, profile)
    where = "tracked" if found == tracked_path(notebook.id, profile) else "of this machine"
    commit = nodes.literal("", result.commit) if result.commit else "none"
    date = Cell(result.date[:10], classes=["paperlib-short"])
    return [*first, Cell(where), Cell(f"{result.seconds:,.1f}"), Cell(commit), date]


def add_directives(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("status", StatusDirective)
