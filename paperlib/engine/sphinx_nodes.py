"""Docutils nodes of the book: tables that scroll by keyboard too, and parts of a page that are folded away."""

from collections.abc import Sequence
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


class enclosed(nodes.General, nodes.Element):
    """Content between the attributes ``opening`` and ``closing`` in HTML; other formats show it without them."""


def _visit_html(translator: HTML5Translator, node: enclosed) -> None:
    translator.body.append(node["opening"] + "\n")


def _depart_html(translator: HTML5Translator, node: enclosed) -> None:
    translator.body.append(node["closing"] + "\n")


def _nothing(translator: nodes.NodeVisitor, node: enclosed) -> None:
    """The content stands for itself."""


def add_nodes(app: Sphinx) -> None:
    """Register the node with every format."""
    plain = {name: (_nothing, _nothing) for name in ("latex", "text", "man", "texinfo")}
    app.add_node(enclosed, html=(_visit_html, _depart_html), **plain)


def folded(summary: str, *content: nodes.Node) -> enclosed:
    """What opens on a click or a key: HTML's own ``details``, which needs no script; ``summary`` stands before it."""
    opening = f'<details class="paperlib-folded"><summary>{escape(summary)}</summary>'
    return enclosed("", *content, opening=opening, closing="</details>")


def _scrolling(label: str, *content: nodes.Node) -> enclosed:
    """A region for what may be too wide; ``label`` names it to readers who do not see it."""
    name = escape(label, quote=True)
    opening = f'<div class="paperlib-table" role="region" aria-label="{name}" tabindex="0">'
    return enclosed("", *content, opening=opening, closing="</div>")


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


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], row_headers: bool = True) -> enclosed:
    """A table with a caption, whose first column heads the rows where ``row_headers``.

    A row lacks the cells that span into it. Row headers and spans do not go together: docutils takes the first cell
    that a row has for its header.
    """
    group = nodes.tgroup(cols=len(head))
    # Plain text is the only format that uses the widths (in characters); it does not end where they are too small.
    group += [nodes.colspec(colwidth=16, stub=1 if row_headers and index == 0 else 0) for index in range(len(head))]
    group += nodes.thead("", _row([Cell(word) for word in head]))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return _scrolling(title, nodes.table("", nodes.title("", title), group))


def _row(cells: Sequence[Cell]) -> nodes.row:
    return nodes.row("", *(cell.entry() for cell in cells))
