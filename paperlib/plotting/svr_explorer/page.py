"""The explorer of an SVR as HTML, with a table of the strongest edges for readers without scripts."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from paperlib.plotting.explorers import Explorer, explorer, table
from paperlib.plotting.svr import draw_svr
from paperlib.plotting.svr_explorer.payload import payload
from paperlib.plotting.svr_layout import layer_names
from paperlib.svr.export import SvrGraph

# Each needs those before it.
_DRAWING = ("colours", "data", "paths", "view", "words", "raster", "painting")
MODULES = (*_DRAWING, "pointer", "controls", "table", "explorer")
_ROWS = 10


def svr_explorer(
    graphs: Sequence[SvrGraph], labels: Sequence[str], *, fallback: Figure | None = None, alt: str | None = None
) -> Explorer:
    """The SVR of one network, of several, or of one through its training, for a reader to explore (`svr`, Section 2).

    With several, a slider named by the ``labels`` moves through them; axes stay the same. The edges are those of the
    graphs: the threshold's slider shows fewer, never more, so `significant_edges` decides on the size of the page.
    Paper, and readers without scripts, get ``fallback`` (by default `draw_svr` of the same graphs) with the text
    ``alt``, and a table of the strongest edges of the last graph.

    Raises ``ValueError`` as `payload` does.
    """
    return explorer(
        __package__,
        MODULES,
        payload(graphs, labels),
        name="svr-explorer",
        fallback=draw_svr(dict(zip(labels, graphs, strict=True))) if fallback is None else fallback,
        alt=f"Singular values against layers, joined by significant edges: {', '.join(labels)}" if alt is None else alt,
        static=_table(graphs[-1], labels[-1]),
    )


def _table(graph: SvrGraph, label: str) -> str:
    names, edges = layer_names(graph), graph.edges
    rows = []
    for edge in edges.coefficient.argsort(descending=True, stable=True)[:_ROWS].tolist():
        connection = graph.connections[int(edges.connection[edge])]
        ends = ((connection.earlier, edges.earlier), (connection.later, edges.later))
        cells = [f"{names[layer]} #{int(neurons[edge])}" for layer, neurons in ends]
        rows.append([*cells, f"{edges.coefficient[edge]:.3g}", f"{edges.p_value[edge]:.2g}"])
    heads = ["earlier", "later", "coefficient", "p-value"]
    return table(f"The {len(rows)} strongest edges, {label}", heads, rows)
