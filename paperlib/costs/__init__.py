"""What work costs: seconds and peak memory in a process of its own (`apart`), products beside autograd (`products`)."""

# Not `products`: what is measured apart would have to import torch first.
from paperlib.costs.apart import ApartError, Measured, measured_apart

__all__ = ["ApartError", "Measured", "measured_apart"]
