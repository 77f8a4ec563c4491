"""A representation in few numbers: energies of its connections and edges, and intensities of its spectral neurons."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.svr.dimensions import InternalDimensions, column_excess, internal_dimensions, relative
from paperlib.svr.edges import Edges
from paperlib.svr.representation import Connection, Representation


@dataclass(frozen=True)
class ConnectionSummary:
    """One connection in numbers: its internal dimensions, and its energy beside that of chance, see `energy`."""

    dimensions: InternalDimensions
    energy: float
    energy_by_chance: float


def summaries(representation: Representation) -> tuple[ConnectionSummary, ...]:
    """A summary of each connection of a representation; raises ``ValueError`` as `internal_dimensions` does."""
    return tuple(
        ConnectionSummary(
            internal_dimensions(connection.adjacency),
            energy(representation, connection),
            1 / connection.adjacency.channels,
        )
        for connection in representation.connections
    )


def energy(representation: Representation, connection: Connection) -> float:
    """Which share of its energy passes a connection: ``sum s_n^2 a_nm s_m^2 / (sum s_n^2 sum s_m^2)``, in [0, 1].

    The coefficients averaged with the squared singular values of both layers as weights, so that scaling a layer
    changes nothing; chance gives ``1 / channels``. For fully connected layers of all their spectral neurons it is
    ``|A_2 A_1|_F^2 / (|A_2|_F^2 |A_1|_F^2)``: how far the later layer reads what the earlier one writes most strongly,
    without the activation between them.
    """
    later, earlier = _weights(representation, connection)
    return (later @ connection.adjacency.coefficients @ earlier).item()


def edge_energies(representation: Representation, edges: Edges) -> tuple[Tensor, Tensor]:
    """The share of each edge in the energy of its connection, and what it would be if all coefficients were equal.

    Both ``(edges,)`` float64: ``s_n^2 a_nm s_m^2 / sum s^2 a s^2``, and ``s_n^2 s_m^2`` over its sum. Added up over the
    edges of a connection they say how much of its energy these carry, and how much of that is their neurons' alone.
    """
    found, equal = torch.zeros(2, len(edges), dtype=torch.float64)
    for index, connection in enumerate(representation.connections):
        here = edges.connection == index
        later, earlier = _weights(representation, connection)
        equal[here] = later[edges.later[here]] * earlier[edges.earlier[here]]
        found[here] = equal[here] * edges.coefficient[here] / energy(representation, connection)
    return found, equal


def layer_intensities(representation: Representation) -> tuple[Tensor, ...]:
    """Colour intensities in [0, 1] of the spectral neurons of every layer, ``(M,)`` float64 each (`svr`, Section 3.3).

    See `intensities`. Of a layer that feeds several the largest excess counts; a layer that feeds none has 1
    throughout, as the last one has in the paper's drawings.
    """
    found = [torch.ones(len(layer.singular_values), dtype=torch.float64) for layer in representation.layers]
    for index in range(len(found)):
        leaving = [one.adjacency for one in representation.connections if one.earlier == index]
        if leaving:
            found[index] = relative(torch.stack([column_excess(one) for one in leaving]).amax(0))
    return tuple(found)


def _weights(representation: Representation, connection: Connection) -> tuple[Tensor, Tensor]:
    """Squared singular values of the later and the earlier layer, as shares of their sums."""
    ends = (representation.layers[index] for index in (connection.later, connection.earlier))
    later, earlier = (layer.singular_values.square() for layer in ends)
    return later / later.sum(), earlier / earlier.sum()
