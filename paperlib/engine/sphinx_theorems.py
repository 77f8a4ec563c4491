"""Directives that connect the numbered statements of the book with code.

````md
```{evidence} thm-four-spaces
```

```{theorems}
```
````

The first stands below a statement and shows, folded away, the function that implements it and the tests that check it,
as they are in the repository. The second is a table of all statements.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from paperlib import paths
from paperlib.engine.sphinx_base import EngineDirective, watch
from paperlib.engine.sphinx_nodes import Cell, folded, table
from paperlib.engine.theorems import Code, code_of_function, code_of_test, find_theorem, load_theorems

_HEADS = ("statement", "implemented by", "checked by")


class EvidenceDirective(EngineDirective):
    """Function and tests of one statement."""

    required_arguments = 1

    def content_nodes(self) -> list[nodes.Node]:
        watch(self.env, [paths.THEOREMS])
        theorem = find_theorem(self.arguments[0])
        functions = [code_of_function(name) for name in theorem.functions]
        tests = [code_of_test(name) for name in theorem.tests]
        watch(self.env, [paths.ROOT / code.file for code in (*functions, *tests)])
        words = [nodes.paragraph("", "", *_named("Implemented by ", theorem.functions))]
        words += [self._folded(f"Code of {code.name}", code) for code in functions]
        words += [self._folded(f"Test {code.name.partition('::')[2]}", code) for code in tests]
        return [nodes.container("", *words, classes=["paperlib-evidence"])]

    def _folded(self, summary: str, code: Code) -> nodes.Node:
        place = nodes.paragraph("", "", nodes.literal("", f"{code.file}, line {code.line}"))
        return folded(summary, place, nodes.literal_block(code.text, code.text, language="python"))


class TheoremsDirective(EngineDirective):
    """Table of all statements with their functions and tests."""

    def content_nodes(self) -> list[nodes.Node]:
        watch(self.env, [paths.THEOREMS])
        rows = [
            [
                Cell(_reference(self.env.docname, theorem.label, theorem.title), classes=["paperlib-words"]),
                Cell(*_named("", theorem.functions)),
                Cell(*_named("", theorem.tests), classes=["paperlib-words"]),
            ]
            for theorem in load_theorems().values()
        ]
        return [table("Statements of the book", _HEADS, rows, row_headers=False)]


def _named(words: str, names: tuple[str, ...]) -> list[nodes.Node]:
    parts: list[nodes.Node] = [nodes.Text(words)] if words else []
    for index, name in enumerate(names):
        parts += [nodes.Text(", ")] if index else []
        parts.append(nodes.literal("", name))
    return parts


def _reference(docname: str, label: str, title: str) -> nodes.Node:
    options = {"refdomain": "prf", "reftype": "ref", "reftarget": label, "refexplicit": True}
    return addnodes.pending_xref("", nodes.inline("", title), refdoc=docname, refwarn=True, **options)


def add_directives(app: Sphinx) -> None:
    """Register both directives."""
    app.add_directive("evidence", EvidenceDirective)
    app.add_directive("theorems", TheoremsDirective)
