"""Finished pages as every reader needs them: what the theme leaves without a name, and what it loads in vain.

The theme has no setting for any of this, so that the rendered HTML is mended, in the one place where Sphinx lets a
project choose how pages are rendered. Where another version of the theme writes something else, a mend finds nothing
and the tests of the built site say so.
"""

import re
from collections.abc import Callable, Mapping
from html import unescape

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.jinja2glue import BuiltinTemplateLoader

_TAG = re.compile(r"<[^>]*>")
# The link before it says which pages the arrow shows.
_CONTENTS_ARROW = re.compile(r"(>([^<>]+)</a><details[^>]*>)<summary>")
_HEADS = re.compile(
    r"<table\b(?![^>]*aria-label)([^>]*)>(\s*(?:<colgroup>.*?</colgroup>\s*)?<thead.*?</thead>)", re.DOTALL
)
_HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
# A corner that heads neither rows nor columns.
_EMPTY_HEAD = re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>")
_SEARCH_SCRIPT = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>')
_SYSTEM_THEME = '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")'
_MENDS: tuple[tuple[re.Pattern, str | Callable[[re.Match], str]], ...] = (
    (_CONTENTS_ARROW, r'\1<summary aria-label="Pages of: \2">'),
    (_HEADS, lambda found: f'<table{found[1]} aria-label="{_heads(found[2])}">{found[2]}'),
    (_EMPTY_HEAD, r"<td\1></td>"),
    # Icons come from a font of the theme's style sheet; the script would draw the same ones, for 1.5 MB on each page.
    (re.compile(r'<script[^>]* src="[^"]*/fontawesome\.js[^"]*"></script>'), ""),
    # Without a stored choice the theme would name no mode, complain about that, and show light colours first.
    (re.compile(r'getItem\("mode"\) \|\| ""'), 'getItem("mode") || "auto"'),
    (re.compile(r'getItem\("theme"\) \|\| ""'), f'getItem("theme") || {_SYSTEM_THEME}'),
    # From a folder a browser fetches no page to quote from, and says so for each result.
    (
        re.compile(r'(<script src="[^"]*documentation_options\.js[^"]*"></script>)'),
        r'\1<script>if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;</script>',
    ),
    # Columns of the index, not a table; and a list of references whose entries are no list items.
    (re.compile(r'(<table\b[^>]*)( class="indextable)'), r'\1 role="presentation"\2'),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    # A role that the standard has withdrawn.
    (re.compile(r' role="doc-biblioentry"'), ""),
    # Each proof has it, so that no link could lead to one of them.
    (re.compile(r' id="proof-content"'), ""),
    (re.compile(r'(<div id="pst-primary-sidebar")'), r'\1 role="navigation" aria-label="Book"'),
)


def mended(html: str, *, searches: bool) -> str:
    """A page with names for the arrows of the table of contents and for tables, and without needless scripts.

    The index of the search is left to the page that ``searches``.
    """
    for pattern, replacement in _MENDS:
        html = pattern.sub(replacement, html)
    if "bd-sidebar-secondary" not in html:
        # A page of one section has no list of sections, which a script of the theme would hide all the same.
        html = html.replace("</main>", '<div class="bd-sidebar-secondary" style="display: none"></div></main>')
    return html if searches else _SEARCH_SCRIPT.sub("", html)


def _heads(html: str) -> str:
    words = [unescape(_TAG.sub("", head)).strip() for head in _HEAD.findall(html)]
    named = ", ".join(word.replace('"', "'") for word in words if word)
    return f"Table of {named}".replace("&", "&amp;").replace("<", "&lt;")


class MendedPages(BuiltinTemplateLoader):
    """Sphinx's own templates, with every page mended as it is rendered."""

    def render(self, template: str, context: Mapping) -> str:
        html = super().render(template, context)
        return mended(html, searches=context.get("pagename") == "search") if "<html" in html[:500] else html


def _choose(app: Sphinx, config: Config) -> None:
    config.template_bridge = f"{__name__}.{MendedPages.__name__}"


def add_accessibility(app: Sphinx) -> None:
    """Have every page of the site mended, and what is wide in it reached by the Tab key."""
    app.add_js_file("scrolling.js", loading_method="defer")
    app.connect("config-inited", _choose)
