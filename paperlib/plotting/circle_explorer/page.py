"""The circle's explorer as HTML, with a table of singular values for readers without scripts."""

from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from paperlib.plotting.circle import draw_circle
from paperlib.plotting.explorers import Explorer, explorer, table

# Each needs those before it.
MODULES = ("svd", "words", "panels", "handles", "explorer")
# What the page lets a reader set.
LARGEST = 6.0


def circle_explorer(
    matrices: Mapping[str, Tensor], *, angle: float = 1.3, fallback: Figure | None = None, alt: str | None = None
) -> Explorer:
    """The unit circle under a matrix that the reader changes, with both ways to project (`convsvd`, Figure 8).

    ``matrices`` are ``(2, 2)`` by name, the first one shown at first; ``angle`` is that of the point x in radians.
    Paper, and readers without scripts, get ``fallback`` (by default `draw_circle` of the first matrix) with the text
    ``alt``, and a table of the matrices with their singular values.

    Raises ``ValueError`` without a matrix, for another shape, and for an entry that is no number of at most 6.
    """
    presets = [{"name": name, "matrix": _checked(name, matrix)} for name, matrix in matrices.items()]
    if not presets:
        raise ValueError("no matrix is given; expected one or more by name")
    first = torch.tensor(presets[0]["matrix"], dtype=torch.float64)
    return explorer(
        __package__,
        MODULES,
        {"angle": float(angle), "presets": presets},
        name="circle-explorer",
        fallback=draw_circle(first, angle) if fallback is None else fallback,
        alt=alt or "A circle and its image under a matrix, with projections on the axes and on the singular directions",
        static=_table(presets),
    )


def _checked(name: str, matrix: Tensor) -> list[list[float]]:
    if matrix.shape != (2, 2):
        raise ValueError(f"{name}: the matrix is {tuple(matrix.shape)}; the plane takes one of (2, 2)")
    if not bool((matrix.abs() <= LARGEST).all()):
        raise ValueError(f"{name}: entries are {matrix.tolist()}; the page shows numbers of at most {LARGEST:g}")
    return matrix.double().tolist()


def _table(presets: list[dict]) -> str:
    rows = []
    for preset in presets:
        values = torch.linalg.svdvals(torch.tensor(preset["matrix"], dtype=torch.float64)).tolist()
        entries = "; ".join(", ".join(f"{entry:.3g}" for entry in row) for row in preset["matrix"])
        rows.append([preset["name"], entries, *(f"{value:.3f}" for value in values)])
    return table("The matrices, row by row, and their singular values", ["name", "matrix", "s0", "s1"], rows)
