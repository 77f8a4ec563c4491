"""The adjoint of a convolution step by step: HTML without kernel, network and library."""

from paperlib.plotting.adjoint_explorer.page import adjoint_explorer

__all__ = ["adjoint_explorer"]
