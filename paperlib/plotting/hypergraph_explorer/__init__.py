"""Hypergraph and semantic hierarchy of a layer with sliders for q and p: HTML without kernel, network and library."""

from paperlib.plotting.hypergraph_explorer.page import hypergraph_explorer

__all__ = ["hypergraph_explorer"]
