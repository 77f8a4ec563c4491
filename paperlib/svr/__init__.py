"""The Singular Value Representation: spectral neurons of the layers of a network, and how they fit (`svr`).

>>> import torch
>>> from torch import nn
>>> from paperlib.svr import representation, significant_edges
>>> torch.manual_seed(0)  # doctest: +ELLIPSIS
<torch...
>>> model = nn.Sequential(nn.Linear(20, 30, bias=False), nn.ReLU(), nn.Linear(30, 10, bias=False))
>>> found = representation(model, torch.zeros(1, 20))
>>> adjacency = found.connections[0].adjacency
>>> adjacency.coefficients.shape, adjacency.channels, adjacency.degrees
(torch.Size([10, 20]), 30, 1)
>>> bool((adjacency.coefficients <= 1).all()), significant_edges(found, p=0.15).expected_false
(True, 30.0)
"""

from paperlib.svr.adjacency import Adjacency, ChainError, adjacency, effective_filters
from paperlib.svr.dimensions import InternalDimensions, entropy, intensities, internal_dimensions, overlap_excess
from paperlib.svr.edges import Edges, significant_edges
from paperlib.svr.export import SvrGraph, edge_table, from_json, svr_graph, to_json, to_networkx
from paperlib.svr.folding import batch_norm_scales
from paperlib.svr.layers import GraphError, LayerGraph, Link, layer_graph
from paperlib.svr.neurons import Side, SpectralNeurons, compose, neurons_of_weights, residuals, spectral_neurons
from paperlib.svr.null import Law, null_law, p_values, threshold
from paperlib.svr.representation import (
    Connection,
    Layer,
    Representation,
    representation,
    representation_of_weights,
)
from paperlib.svr.summaries import ConnectionSummary, edge_energies, energy, layer_intensities, summaries

__all__ = [
    "Adjacency", "ChainError", "Connection", "ConnectionSummary", "Edges", "GraphError", "InternalDimensions", "Law",
    "Layer", "LayerGraph", "Link", "Representation", "Side", "SpectralNeurons", "SvrGraph", "adjacency",
    "batch_norm_scales", "compose", "edge_energies", "edge_table", "effective_filters", "energy", "entropy",
    "from_json", "intensities", "internal_dimensions", "layer_graph", "layer_intensities", "neurons_of_weights",
    "null_law", "overlap_excess", "p_values", "representation", "representation_of_weights", "residuals",
    "significant_edges", "spectral_neurons", "summaries", "svr_graph", "threshold", "to_json", "to_networkx",
]  # fmt: skip
