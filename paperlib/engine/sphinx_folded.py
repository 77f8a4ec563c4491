"""A part of a page that is folded away, as a docutils node: HTML's own ``details``, which needs no script."""

from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


class folded(nodes.General, nodes.Element):
    """Opens on a click or a key; its attribute ``summary`` is what stands there before."""


def _visit_html(translator: HTML5Translator, node: folded) -> None:
    summary = escape(node["summary"])
    translator.body.append(f'<details class="paperlib-folded"><summary>{summary}</summary>\n')


def _depart_html(translator: HTML5Translator, node: folded) -> None:
    translator.body.append("</details>\n")


def _visit_plain(translator: nodes.NodeVisitor, node: folded) -> None:
    """Formats that fold nothing show the content."""


def add_nodes(app: Sphinx) -> None:
    """Register the node with every format."""
    plain = {name: (_visit_plain, _visit_plain) for name in ("latex", "text", "man", "texinfo")}
    app.add_node(folded, html=(_visit_html, _depart_html), **plain)
