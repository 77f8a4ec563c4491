"""The Singular Value Representation: spectral neurons of the layers of a network, and how they fit (`svr`).

>>> import torch
>>> from torch import nn
>>> from paperlib.svr import adjacency, internal_dimensions, significant, spectral_neurons
>>> torch.manual_seed(0)  # doctest: +ELLIPSIS
<torch...
>>> earlier, later = nn.Linear(20, 30, bias=False), nn.Linear(30, 10, bias=False)
>>> found = adjacency(spectral_neurons(later), spectral_neurons(earlier))
>>> found.coefficients.shape, found.channels, found.degrees
(torch.Size([10, 20]), 30, 1)
>>> bool((found.coefficients <= 1).all()), significant(found, p=0.15).expected_false
(True, 30.0)
"""

from paperlib.svr.adjacency import Adjacency, ChainError, adjacency, effective_filters
from paperlib.svr.dimensions import InternalDimensions, intensities, internal_dimensions, overlap_excess
from paperlib.svr.layers import GraphError, LayerGraph, Link, layer_graph
from paperlib.svr.neurons import Side, SpectralNeurons, compose, spectral_neurons
from paperlib.svr.null import Law, Significance, null_law, p_values, significant, threshold

__all__ = [
    "Adjacency", "ChainError", "GraphError", "InternalDimensions", "Law", "LayerGraph", "Link", "Side", "Significance",
    "SpectralNeurons", "adjacency", "compose", "effective_filters", "intensities", "internal_dimensions",
    "layer_graph", "null_law", "overlap_excess", "p_values", "significant", "spectral_neurons", "threshold",
]  # fmt: skip
