"""A circle under a 2 x 2 matrix, interactive: one piece of HTML that needs no kernel, no network and no library."""

from paperlib.plotting.circle_explorer.page import circle_explorer

__all__ = ["circle_explorer"]
