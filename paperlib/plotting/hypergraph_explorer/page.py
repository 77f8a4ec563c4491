"""The hypergraph's explorer as HTML, with a table of the hierarchies' sizes for readers without scripts."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from paperlib.hypergraphs import Family
from paperlib.plotting.explorers import Explorer, explorer, table
from paperlib.plotting.hypergraph_explorer.payload import MOST_BYTES, Pictures, payload

# Each needs those before it.
MODULES = ("words", "layout", "motion", "diagram", "matrix", "details", "explorer")


def hypergraph_explorer(
    family: Family,
    *,
    class_names: Sequence[str] | None = None,
    pictures: Pictures | None = None,
    title: str = "",
    fallback: Figure,
    alt: str | None = None,
    start: tuple[float, float] | None = None,
) -> Explorer:
    """The hypergraphs of one layer over all (q, p) of a family, for a reader to explore (`convsvd`, Section 5).

    Sliders choose q and p; the page shows the Hasse diagram of the equivalence classes, the incidence of nodes and
    hyperedges, and for a chosen class its members, singular values, hyperedges and ``pictures``. These are given by the
    name of their row and by direction, images ``(count, channels, height, width)`` in [0, 1]. ``start`` is the (q, p)
    shown at first, the middle ones by default; ``class_names`` are shown in the place of the family's. Paper, and
    readers without scripts, get ``fallback`` with the text ``alt``, and a table of the sizes of all hypergraphs.

    Raises ``ValueError`` as `payload` does, for a ``start`` that the family does not have, and for a page of more than
    ``MOST_BYTES``.
    """
    data = payload(family, family.classes if class_names is None else class_names, pictures or {})
    data["title"] = title or f"layer {family.path}"
    data["start"] = _places(family, start)
    page = explorer(
        __package__,
        MODULES,
        data,
        name="hypergraph-explorer",
        fallback=fallback,
        alt=alt or f"Semantic hierarchy of {data['title']}; a table gives its size at each quantile and majority",
        static=_table(data),
    )
    if len(page.html) > MOST_BYTES:
        raise ValueError(
            f"the page has {len(page.html):,} characters, more than {MOST_BYTES:,}; give fewer or smaller pictures, or "
            "fewer quantiles and majorities"
        )
    return page


def _places(family: Family, start: tuple[float, float] | None) -> list[int]:
    if start is None:
        return [len(family.quantiles) // 2, len(family.majorities) // 2]
    q, p = start
    if q not in family.quantiles or p not in family.majorities:
        raise ValueError(
            f"start is q = {q:g}, p = {p:g}; expected q of {list(family.quantiles)}, p of {list(family.majorities)}"
        )
    return [family.quantiles.index(q), family.majorities.index(p)]


def _table(data: dict) -> str:
    rows = []
    for q, row in zip(data["quantiles"], data["cells"], strict=True):
        sizes = [f"{sum(len(members) for members, _ in cell['classes'])} in {len(cell['classes'])}" for cell in row]
        rows.append([f"{q:g}", *sizes])
    heads = ["quantile q", *(f"p = {p:g} %" for p in data["majorities"])]
    return table("Nodes and equivalence classes that they form", heads, rows)
