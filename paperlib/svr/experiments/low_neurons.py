"""How many of a network's edges are between its weakest spectral neurons (`svr`, Section 5.2 and Figure 12)."""

from dataclasses import dataclass

import torch

from paperlib.svr.edges import Edges
from paperlib.svr.representation import Representation


@dataclass(frozen=True)
class LowEdges:
    """Edges between spectral neurons that are both in the lowest part of their layers, by singular value.

    ``share`` is their share of all edges shown, and ``chance`` the share of all pairs of neurons that are of this
    kind, which is what a network of random directions shows on average. Both in [0, 1]; ``share`` is NaN where no
    edge is shown. ``shown`` counts all edges, of which chance alone would show ``expected``.
    """

    share: float
    chance: float
    shown: int
    expected: float


def low_edges(found: Representation, edges: Edges, part: float = 0.25) -> LowEdges:
    """Count the edges within the lowest ``part`` in (0, 1) of the singular values of both layers.

    Raises ``ValueError`` for another part.
    """
    if not 0 < part < 1:
        raise ValueError(f"part is {part}; expected a share in (0, 1)")
    low = low_pairs = pairs = 0
    for index, link in enumerate(found.connections):
        rows, columns = link.adjacency.coefficients.shape
        first_row, first_column = rows - int(part * rows), columns - int(part * columns)
        here = edges.connection == index
        low += int(((edges.later[here] >= first_row) & (edges.earlier[here] >= first_column)).sum())
        low_pairs += (rows - first_row) * (columns - first_column)
        pairs += rows * columns
    shown = len(edges.connection)
    return LowEdges(low / shown if shown else torch.nan, low_pairs / pairs, shown, edges.expected_false)
