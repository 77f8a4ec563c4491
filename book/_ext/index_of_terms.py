"""The index names the pages that it leads to, the one that explains a term first.

Sphinx numbers the links of an entry, which tells a reader nothing, and puts the glossary's first, which defines a term
but does not explain it.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_GLOSSARY = "glossary"


def _glossary_last(app: Sphinx, env: BuildEnvironment) -> None:
    """Take the mark of a main entry from what the glossary adds to the index by itself."""
    entries = env.get_domain("index").entries
    if _GLOSSARY in entries:
        entries[_GLOSSARY] = [(kind, value, target, "", key) for kind, value, target, _, key in entries[_GLOSSARY]]


def _name_pages(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, object], doctree: nodes.document | None
) -> None:
    """Make each link of an entry a line of its own with the title of its page."""
    # The page of the table of contents has the same name; Sphinx writes the index in its place afterwards.
    if "genindexentries" not in context:
        return
    named = [
        (letter, [(term, ([], _pages(app, links) + lines, key)) for term, (links, lines, key) in entries])
        for letter, entries in context["genindexentries"]
    ]
    context["genindexentries"] = named
    context["genindexcounts"] = [sum(1 + len(lines) for _, (_, lines, _) in entries) for _, entries in named]


def _pages(app: Sphinx, links: list[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The links by the titles of their pages, marked ones before others and the glossary last; a page stands once."""
    found: dict[str, tuple[str, str]] = {}
    for main, address in sorted(links, key=lambda link: (not link[0], link[1].startswith(f"{_GLOSSARY}."))):
        found.setdefault(address.partition("#")[0].removesuffix(".html"), (main, address))
    return [(_title(app.env, page), [link]) for page, link in found.items()]


def _title(env: BuildEnvironment, page: str) -> str:
    """A page's title; where several pages share it, with that of the chapter."""
    title = env.titles[page].astext()
    chapter = f"{page.rpartition('/')[0]}/index"
    alike = sum(other.astext() == title for other in env.titles.values())
    return f"{title} ({env.titles[chapter].astext()})" if alike > 1 and chapter in env.titles else title


def setup(app: Sphinx) -> dict[str, object]:
    """Connect both steps."""
    app.connect("env-updated", _glossary_last)
    app.connect("html-page-context", _name_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
