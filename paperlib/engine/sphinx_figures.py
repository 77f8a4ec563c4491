"""A directive that shows a figure of a notebook's page on another page.

````md
```{paper-figure} fig-vectorspaces-01
```
````

The image, its description and its caption are those of the executed notebook, and its number is a link to it.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from paperlib import paths
from paperlib.engine.errors import UsageError
from paperlib.engine.figures import PageFigure, all_figures, export_figure
from paperlib.engine.sphinx_base import EngineDirective, watch
from paperlib.engine.text import nearest


class PaperFigureDirective(EngineDirective):
    """The image with a link to where it comes from."""

    required_arguments = 1

    def content_nodes(self) -> list[nodes.Node]:
        known = _figures(self.env.app)
        name = self.arguments[0]
        if name not in known:
            raise UsageError(f"no executed notebook has the figure {name!r}.{nearest(name, known)}")
        figure = known[name]
        watch(self.env, [paths.EXECUTED / f"{figure.notebook}.ipynb"])
        export_figure(figure)
        ending = next(iter(figure.images))
        address = "/" + figure.file(ending).relative_to(self.env.srcdir).as_posix()
        image = nodes.image("", uri=address, alt=figure.alt)
        caption = nodes.paragraph("", "", _number(self.env.docname, name), nodes.Text(": "))
        caption += self.inline(figure.caption)
        return [nodes.container("", image, caption, classes=["paperlib-figure"])]


def _number(docname: str, name: str) -> nodes.Node:
    options = {"refdomain": "std", "reftype": "numref", "reftarget": name, "refexplicit": False}
    return addnodes.pending_xref(name, nodes.inline("", name), refdoc=docname, refwarn=True, **options)


def _figures(app: Sphinx) -> dict[str, PageFigure]:
    """All figures, read once in a build: the executed notebooks are many megabytes."""
    if not hasattr(app, "paperlib_figures"):
        app.paperlib_figures = all_figures()
    return app.paperlib_figures


def add_directives(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("paper-figure", PaperFigureDirective)
