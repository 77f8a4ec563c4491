"""An interactive figure as HTML: what stands there without its script, the data, and the script that takes over."""

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

from matplotlib.figure import Figure

# Each explorer's own modules come behind these.
_SHARED = ("scheme", "element")
_DOTS_PER_INCH = 150


@dataclass(frozen=True)
class Explorer:
    """A piece of HTML that a notebook shows as its output; ``html`` can be put into any page, more than once."""

    # A notebook keeps the plain text of an output too, which should not be the page once more.
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html


def explorer(
    package: str, modules: Sequence[str], data: object, *, name: str, fallback: Figure, alt: str, static: str = ""
) -> Explorer:
    """An element named ``name`` whose script consists of the ``modules`` in the folder ``static`` of ``package``.

    The folder also has ``explorer.css``, ``explorer.html`` and, as items of a list, ``help.html``. A module imports
    from those before it and from the shared ones alone; the last one defines the element, which a page finds by
    ``data-explorer``. Paper, and readers without scripts, get the figure ``fallback`` with the text ``alt``, and
    ``static``, which is HTML.
    """
    code = _code(package, tuple(modules))
    # The name carries the code's digest: outputs of two versions of this library can share a page.
    tag = f"{name}-{hashlib.sha256(code.encode()).hexdigest()[:8]}"
    return Explorer(
        f'<{tag} class="{name}" data-explorer="{name}">{_picture(fallback, alt)}{static}'
        f'<script type="application/json">{script_json(data)}</script></{tag}>'
        f'<script>(() => {{\n"use strict";\nconst TAG = "{tag}";\n{code}}})();</script>'
    )


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as HTML, of the class that pages style as they do tables of data frames."""
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<table class="dataframe"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    )


def script_json(value: object) -> str:
    """JSON that may stand inside a script element: nothing in it ends the element or starts a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _code(package: str, modules: tuple[str, ...]) -> str:
    """Style, template and modules as one script without imports and exports."""
    shared, own = files(__package__) / "static", files(package) / "static"
    style = (shared / "base.css").read_text("utf-8") + (own / "explorer.css").read_text("utf-8")
    constants = {"STYLE": style, "TEMPLATE": _template(shared, own)}
    parts = [f"const {name} = {script_json(text)};\n" for name, text in constants.items()]
    sources = [shared / f"{name}.js" for name in _SHARED] + [own / f"{name}.js" for name in modules]
    return "".join([*parts, *(_without_modules(source.read_text("utf-8")) for source in sources)])


def _template(shared: Traversable, own: Traversable) -> str:
    parts = {name: (own / f"{name}.html").read_text("utf-8") for name in ("explorer", "help")}
    return (shared / "frame.html").read_text("utf-8").format_map(parts)


def _without_modules(source: str) -> str:
    lines = (line for line in source.splitlines(keepends=True) if not line.startswith("import "))
    return "".join(line.removeprefix("export ") for line in lines)


def _picture(figure: Figure, alt: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    width = round(figure.get_figwidth() * 96)
    image = base64.b64encode(buffer.getvalue()).decode()
    return f'<img width="{width}" alt="{escape(alt)}" src="data:image/png;base64,{image}">'
