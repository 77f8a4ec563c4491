"""Figures from results: every function takes what was computed and returns a matplotlib figure."""

from paperlib.plotting.ideal import draw_distance_curves, draw_drop_by_rate, draw_ideal_inputs
from paperlib.plotting.images import draw_projection, draw_vectors
from paperlib.plotting.inversion import draw_amplifications, draw_inversion_rounds
from paperlib.plotting.ratios import draw_rank_accuracy, draw_ratio_boxes, draw_training_history
from paperlib.plotting.spaces import (
    ImageRow,
    draw_condition_numbers,
    draw_image_rows,
    draw_rejections,
    draw_separations,
    draw_singular_values,
)
from paperlib.plotting.style import style

__all__ = [
    "ImageRow",
    "draw_amplifications",
    "draw_condition_numbers",
    "draw_distance_curves",
    "draw_drop_by_rate",
    "draw_ideal_inputs",
    "draw_image_rows",
    "draw_inversion_rounds",
    "draw_projection",
    "draw_rank_accuracy",
    "draw_ratio_boxes",
    "draw_rejections",
    "draw_separations",
    "draw_singular_values",
    "draw_training_history",
    "draw_vectors",
    "style",
]
