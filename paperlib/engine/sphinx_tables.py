"""Tables for the book as docutils nodes: a header row, row headers, and a container that scrolls by keyboard too."""

from collections.abc import Sequence
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


class scrolling(nodes.General, nodes.Element):
    """Container around a wide table; its attribute ``label`` names it to readers who do not see it."""


def _visit_html(translator: HTML5Translator, node: scrolling) -> None:
    label = escape(node["label"], quote=True)
    translator.body.append(f'<div class="paperlib-table" role="region" aria-label="{label}" tabindex="0">\n')


def _depart_html(translator: HTML5Translator, node: scrolling) -> None:
    translator.body.append("</div>\n")


def _nothing(translator: nodes.NodeVisitor, node: scrolling) -> None:
    """Formats without scrolling show the table itself."""


def add_nodes(app: Sphinx) -> None:
    """Register the container with every format."""
    plain = {name: (_nothing, _nothing) for name in ("latex", "text", "man", "texinfo")}
    app.add_node(scrolling, html=(_visit_html, _depart_html), **plain)


class Cell:
    """One cell: inline nodes, with classes, or spanning ``rows`` rows."""

    def __init__(self, *content: nodes.Node | str, classes: Sequence[str] = (), rows: int = 1):
        self.content = [nodes.Text(item) if isinstance(item, str) else item for item in content]
        self.classes = classes
        self.rows = rows

    def entry(self) -> nodes.entry:
        entry = nodes.entry("", nodes.paragraph("", "", *self.content), classes=list(self.classes))
        if self.rows > 1:
            entry["morerows"] = self.rows - 1
        return entry


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], row_headers: bool = True) -> scrolling:
    """A table with a caption, whose first column heads the rows where ``row_headers``.

    A row lacks the cells that span into it. Row headers and spans do not go together: docutils takes the first cell
    that a row has for its header.
    """
    group = nodes.tgroup(cols=len(head))
    # Plain text is the only format that uses the widths (in characters); it does not end where they are too small.
    group += [nodes.colspec(colwidth=16, stub=1 if row_headers and index == 0 else 0) for index in range(len(head))]
    group += nodes.thead("", _row([Cell(word) for word in head]))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return scrolling("", nodes.table("", nodes.title("", title), group), label=title)


def _row(cells: Sequence[Cell]) -> nodes.row:
    return nodes.row("", *(cell.entry() for cell in cells))
