"""The explorer as HTML: a custom element that holds static content, the data, and the script that takes over."""

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files

from matplotlib.figure import Figure

from paperlib.plotting.svr import draw_svr
from paperlib.plotting.svr_explorer.payload import payload, script_json
from paperlib.plotting.svr_layout import layer_names
from paperlib.svr.export import SvrGraph

# Each needs those before it. A page gets them as one script, so that it loads without a server for modules.
_SCRIPTS = ("theme", "data", "paths", "view", "words", "raster", "painting", "pointer", "controls", "table", "explorer")
_DOTS_PER_INCH = 150
_ROWS = 10


@dataclass(frozen=True)
class SvrExplorer:
    """A piece of HTML that a notebook shows as its output; ``html`` can be put into any page, more than once."""

    # A notebook keeps the plain text of an output too, which should not be the page once more.
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html


def svr_explorer(
    graphs: Sequence[SvrGraph], labels: Sequence[str], *, fallback: Figure | None = None, alt: str | None = None
) -> SvrExplorer:
    """The SVR of one network, of several, or of one through its training, for a reader to explore (`svr`, Section 2).

    With several, a slider named by the ``labels`` moves through them; axes stay the same. The edges are those of the
    graphs: the threshold's slider shows fewer, never more, so `significant_edges` decides on the size of the page.
    Paper, and readers without scripts, get ``fallback`` (by default `draw_svr` of the same graphs) with the text
    ``alt``, and a table of the strongest edges of the last graph.

    Raises ``ValueError`` as `payload` does.
    """
    data = payload(graphs, labels)
    if fallback is None:
        fallback = draw_svr(dict(zip(labels, graphs, strict=True)))
    if alt is None:
        alt = f"Singular values against layers, joined by significant edges: {', '.join(labels)}"
    return SvrExplorer(_element(_picture(fallback, alt) + _table(graphs[-1], labels[-1]), script_json(data)))


def _element(static: str, data: str) -> str:
    code = _code()
    # The name carries the code's digest: outputs of two versions of this library can share a page.
    tag = f"svr-explorer-{hashlib.sha256(code.encode()).hexdigest()[:8]}"
    return (
        f'<{tag} class="svr-explorer">{static}<script type="application/json">{data}</script></{tag}>'
        f'<script>(() => {{\n"use strict";\nconst TAG = "{tag}";\n{code}}})();</script>'
    )


@cache
def _code() -> str:
    """Style, template and modules as one script without imports and exports."""
    static = files(__package__) / "static"
    constants = [
        f"const {name} = {script_json((static / file).read_text('utf-8'))};\n"
        for name, file in (("STYLE", "explorer.css"), ("TEMPLATE", "explorer.html"))
    ]
    return "".join([*constants, *(_without_modules((static / f"{name}.js").read_text("utf-8")) for name in _SCRIPTS)])


def _without_modules(source: str) -> str:
    lines = (line for line in source.splitlines(keepends=True) if not line.startswith("import "))
    return "".join(line.removeprefix("export ") for line in lines)


def _picture(figure: Figure, alt: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    width = round(figure.get_figwidth() * 96)
    image = base64.b64encode(buffer.getvalue()).decode()
    return f'<img width="{width}" alt="{escape(alt)}" src="data:image/png;base64,{image}">'


def _table(graph: SvrGraph, label: str) -> str:
    """The strongest edges; of the class that pages style as they do tables of data frames."""
    names, edges = layer_names(graph), graph.edges
    rows = []
    for edge in edges.coefficient.argsort(descending=True, stable=True)[:_ROWS].tolist():
        connection = graph.connections[int(edges.connection[edge])]
        ends = ((connection.earlier, edges.earlier), (connection.later, edges.later))
        cells = [f"{names[layer]} #{int(neurons[edge])}" for layer, neurons in ends]
        cells += [f"{edges.coefficient[edge]:.3g}", f"{edges.p_value[edge]:.2g}"]
        rows.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("earlier", "later", "coefficient", "p-value"))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<table class="dataframe"><caption>The {len(rows)} strongest edges, {escape(label)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )
