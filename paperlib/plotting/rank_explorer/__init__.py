"""The rank-k CNN on chosen images with a slider for k: HTML without kernel, network and library."""

from paperlib.plotting.rank_explorer.page import rank_explorer

__all__ = ["rank_explorer"]
