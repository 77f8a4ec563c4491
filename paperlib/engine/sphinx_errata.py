"""A directive that shows the sentences of a paper that a notebook corrected, each with its check.

````md
```{errata} svr/oddities
```
````

The rows are those that the notebook recorded under ``errata``: place, the paper's words, what is right, the check.
"""

from docutils import nodes
from sphinx.application import Sphinx

from paperlib.engine.catalogue import PROFILES, find_notebook
from paperlib.engine.results import load_result
from paperlib.engine.sphinx_base import EngineDirective, page_link, result_files, watch
from paperlib.engine.sphinx_nodes import Cell, table

_HEADS = ("place", "the paper", "what is right", "check")


class ErrataDirective(EngineDirective):
    """The table, with a link to the notebook that made it."""

    required_arguments = 1

    def content_nodes(self) -> list[nodes.Node]:
        notebook = find_notebook(self.arguments[0])
        profile = PROFILES[0]
        watch(self.env, result_files(notebook.id, [profile]))
        errata = load_result(notebook.id, profile).value("errata")
        rows = [[Cell(*self.inline(words)) for words in row] for row in errata]
        shown = table(f"Corrections to {notebook.paper}", _HEADS, rows)
        link = page_link(self.env, notebook.id, notebook.title)
        return [shown, nodes.paragraph("", "", nodes.Text("Computed in "), link, nodes.Text("."))]


def add_directives(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("errata", ErrataDirective)
