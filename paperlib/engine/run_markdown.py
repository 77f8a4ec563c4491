"""The Markdown of notebook pages as HTML without Sphinx: its roles and directives become plain words and boxes."""

import re
from functools import cache

from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

_ROLE = re.compile(r"\{[\w:-]+\}`([^`]+)`")
_TARGET = re.compile(r"(?s)(.*?)\s*<[^<>]*>")
_LABEL = re.compile(r"(?m)^\([\w:.-]+\)=\s*$\n?")
_COLONS = re.compile(r"(?m)^:{3,}(\{[\w:-]+\}(.*))?$")
_OPTION = re.compile(r"\A(?::[\w-]+:.*\n|\s*\n)+")


@cache
def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    renderer.use(dollarmath_plugin, renderer=_formula, label_renderer=lambda label: "").use(
        amsmath_plugin, renderer=lambda text: _formula(text, {"display_mode": True})
    )
    fence = renderer.renderer.rules.get("fence") or renderer.renderer.fence

    def boxed(tokens, index, options, environment):
        info = tokens[index].info.strip()
        if not info.startswith("{"):
            return fence(tokens, index, options, environment)
        title = re.sub(r"^\{[\w:-]+\}\s*", "", info)
        content = _OPTION.sub("", tokens[index].content)
        head = f"<p><strong>{renderer.renderInline(_plain(title))}</strong></p>" if title else ""
        return f"<aside>{head}{to_html(content)}</aside>\n"

    renderer.renderer.rules |= {"fence": boxed, "table_open": _table_start, "table_close": _table_end}
    return renderer


def _table_start(*_) -> str:
    return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'


def _table_end(*_) -> str:
    return "</table></div>\n"


def _formula(text: str, options: dict) -> str:
    """TeX in the signs that MathJax looks for; the text has been escaped where it can hold markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return rf"\[{escaped}\]" if options.get("display_mode") else rf"\({escaped}\)"


def to_html(text: str) -> str:
    """HTML of a page's Markdown, with formulas in ``\\( \\)`` and ``\\[ \\]``; HTML in it is shown, not obeyed.

    A role, such as a reference, becomes its words; a directive a box with its content.
    """
    return _renderer().render(_plain(text))


def inline_html(text: str) -> str:
    """HTML of a caption, without a paragraph around it."""
    return _renderer().renderInline(_plain(text))


def _plain(text: str) -> str:
    text = _LABEL.sub("", text)
    text = _COLONS.sub(lambda match: f"**{match[2].strip()}**\n" if match[2] and match[2].strip() else "", text)
    return _ROLE.sub(_words, text)


def _words(match: re.Match) -> str:
    words = _TARGET.fullmatch(match[1])
    return words[1] if words else match[1]
