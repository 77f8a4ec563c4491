"""The interactive Singular Value Representation: one piece of HTML that needs no kernel, no network and no library."""

from paperlib.plotting.svr_explorer.page import svr_explorer

__all__ = ["svr_explorer"]
