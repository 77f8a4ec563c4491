"""The interactive Singular Value Representation: one piece of HTML that needs no kernel, no network and no library."""

from paperlib.plotting.svr_explorer.page import SvrExplorer, svr_explorer

__all__ = ["SvrExplorer", "svr_explorer"]
