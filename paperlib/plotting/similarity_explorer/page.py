"""The explorer of similarities as HTML, with a table of the best matches for readers without scripts."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.explorers import Explorer, explorer, table
from paperlib.plotting.similarity_explorer.payload import payload

# Each needs those before it.
MODULES = ("data", "words", "photograph", "explorer")


def similarity_explorer(
    photographs: Mapping[str, Tensor], layers: Mapping[str, Tensor], *, fallback: Figure, alt: str
) -> Explorer:
    """Two photographs side by side: a place of one shows where the other is alike (`convsvd`, Figure 10).

    A reader points at, taps, or goes with arrow keys to a place of either photograph; the other one is dark where the
    cosine of the spatial activations is small and clear where it is large, from 0 to 1 or, at first, over the layer's
    own range. A list chooses the layer. Arguments are those of `payload`. Paper, and readers without scripts, get
    ``fallback``, such as `draw_similarity_overlays`, with the text ``alt``, and a table of the most alike places.

    Raises ``ValueError`` as `payload` does.
    """
    names = list(photographs)
    data = payload(photographs, layers)
    rows = [_best(name, maps) for name, maps in layers.items()]
    heads = ["layer", f"row, column: {names[0]}", f"row, column: {names[1]}", "cosine", "mean cosine"]
    caption = "The most alike places, rows and columns of the layer's grid counted from 0"
    return explorer(
        __package__,
        MODULES,
        data,
        name="similarity-explorer",
        fallback=fallback,
        alt=alt,
        static=table(caption, heads, rows),
    )


def _best(name: str, maps: Tensor) -> list[str]:
    places = []
    rest = int(maps.argmax())
    for size in reversed(maps.shape):
        rest, place = divmod(rest, size)
        places.insert(0, place)
    i, j, k, m = places
    return [name, f"{i}, {j}", f"{k}, {m}", f"{maps.max():.2f}", f"{maps.mean():.2f}"]
