"""Figures from results: every function takes what was computed and returns a matplotlib figure."""

from paperlib.plotting.images import draw_projection, draw_vectors
from paperlib.plotting.ratios import draw_rank_accuracy, draw_ratio_boxes, draw_training_history
from paperlib.plotting.style import style

__all__ = [
    "draw_projection",
    "draw_rank_accuracy",
    "draw_ratio_boxes",
    "draw_training_history",
    "draw_vectors",
    "style",
]
