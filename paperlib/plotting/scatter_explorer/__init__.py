"""Dice against the right projection ratio, interactive: one piece of HTML without kernel, network or library."""

from paperlib.plotting.scatter_explorer.page import scatter_explorer
from paperlib.plotting.scatter_explorer.payload import ScatterPoints

__all__ = ["ScatterPoints", "scatter_explorer"]
