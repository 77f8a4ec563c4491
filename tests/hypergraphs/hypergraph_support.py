"""Hypergraphs written down by their class sets."""

import torch

from paperlib.hypergraphs import Hypergraph


def graph_of(sets, classes="abcd", nodes=None):
    """A hypergraph whose nodes lie in the classes that each text names."""
    table = torch.tensor([[name in one for name in classes] for one in sets], dtype=torch.bool)
    nodes = tuple(range(len(sets))) if nodes is None else nodes
    return Hypergraph("layer", tuple(classes), nodes, table.reshape(-1, len(classes)), 0.9, 75.0, torch.tensor(0.0))
