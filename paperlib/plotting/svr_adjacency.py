"""Adjacency matrices of the SVR as images (`svr`, Figure 3)."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from paperlib.plotting.style import NETWORK_COLOURS, style
from paperlib.svr.dimensions import internal_dimensions
from paperlib.svr.representation import Connection

_LARGEST_ROW = 3


def draw_adjacencies(connections: Mapping[str, Connection]) -> Figure:
    """Coefficients of connections by title, rows of the later and columns of the earlier layer, on one scale of greys.

    White is 0 and black the largest coefficient of all; in between, greys go with the root, the cosine. Lines mark the
    internal dimensions, which the title gives too. Layers are named by their numbers in the representation, from 0.

    Raises ``ValueError`` where there is no connection, or one of a layer without spectral neurons.
    """
    if not connections:
        raise ValueError("there are no connections; expected at least one, by its title")
    largest = max(connection.adjacency.coefficients.max().item() for connection in connections.values())
    norm = PowerNorm(0.5, vmin=0, vmax=largest)
    columns = min(len(connections), _LARGEST_ROW)
    rows = -(-len(connections) // columns)
    with style():
        size = (min(8.4, 3.8 * columns + 0.6), (4.5 if columns < 3 else 3.0) * rows)
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
        for axis in axes.flat[len(connections) :]:
            axis.set_axis_off()
        for axis, (title, connection) in zip(axes.flat, connections.items(), strict=False):
            shown = axis.imshow(connection.adjacency.coefficients.numpy(), cmap="gray_r", norm=norm)
            found = internal_dimensions(connection.adjacency)
            look = {"color": NETWORK_COLOURS[1], "linewidth": 1.2}
            axis.axhline(found.d_out - 0.5, **look)
            axis.axvline(found.d_in - 0.5, **look)
            axis.set_title(f"{title}\n$d_{{out}}={found.d_out}$, $d_{{in}}={found.d_in}$", fontsize=9)
            axis.set_xlabel(f"spectral neuron of layer {connection.earlier}")
            axis.set_ylabel(f"spectral neuron of layer {connection.later}")
            axis.grid(visible=False)
        figure.colorbar(shown, ax=axes, shrink=0.8, aspect=30, pad=0.02, label="coefficient")
        plt.close(figure)
    return figure
