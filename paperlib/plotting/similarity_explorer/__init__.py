"""Two photographs as places of one see the other, interactive: one piece of HTML without kernel, network or library."""

from paperlib.plotting.similarity_explorer.page import similarity_explorer

__all__ = ["similarity_explorer"]
