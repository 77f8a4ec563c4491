"""Numbers as books print them: a true minus sign, and 2 × 10 with a raised exponent for ``2e-15``."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

# As Python writes floats, so with a sign; without one it may be the address of a commit.
_POWER = re.compile(r"(?<![\w.])(?P<mantissa>\d+(?:\.\d+)?)e(?P<sign>[+-])0*(?P<exponent>\d+)(?![\w.]*\w)")
# Neither a hyphen between words nor one of a date, a range or an option.
_MINUS = re.compile(r"(?<![\w.\-/)])-(?=\.?\d)")
# With narrow spaces at which no line ends.
_TIMES = "\u202f×\u202f"
# What a reader may copy or a machine reads, and the formulas, which are set by themselves.
_VERBATIM = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.raw, nodes.Invisible)


def set_numbers(text: str) -> list[nodes.Node]:
    """``text`` in pieces, with its numbers set: 0 for ``0e+00``, no factor for ``1e-08``."""
    pieces, end = [], 0
    text = _MINUS.sub("\N{MINUS SIGN}", text)
    for found in _POWER.finditer(text):
        pieces.append(text[end : found.start()])
        end = found.end()
        if not float(found["mantissa"]):
            pieces.append("0")
            continue
        factor = "" if found["mantissa"] == "1" else found["mantissa"] + _TIMES
        sign = "\N{MINUS SIGN}" if found["sign"] == "-" else ""
        raised = sign + found["exponent"]
        pieces += [f"{factor}10", nodes.superscript(raised, raised)]
    pieces.append(text[end:])
    return [nodes.Text(piece) if isinstance(piece, str) else piece for piece in pieces if piece != ""]


class PrintedNumbers(SphinxPostTransform):
    """Sets them on every page: in prose, in tables of claims and in the tables that notebooks print."""

    # After the texts of links have been made (10), which keep no mark-up.
    default_priority = 50

    def run(self, **_options) -> None:
        for text in list(self.document.findall(nodes.Text)):
            if (_POWER.search(text) or _MINUS.search(text)) and not _within(text, _VERBATIM):
                text.parent.replace(text, set_numbers(text))


def _within(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def add_numbers(app: Sphinx) -> None:
    """Register the transform."""
    app.add_post_transform(PrintedNumbers)
