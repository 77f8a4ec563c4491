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
from paperlib.plotting.svr import draw_svr
from paperlib.plotting.svr_adjacency import draw_adjacencies
from paperlib.plotting.svr_blocks import draw_block_rows, draw_mixed_matrix
from paperlib.plotting.svr_chains import draw_leading_chains
from paperlib.plotting.svr_images import draw_similarities, draw_spectral_images
from paperlib.plotting.svr_scheme import draw_svr_scheme
from paperlib.plotting.svr_statistics import (
    SurvivalPanel,
    draw_internal_dimensions,
    draw_law_distances,
    draw_planted_blocks,
    draw_survival,
    draw_sweep,
)

__all__ = [
    "ImageRow",
    "SurvivalPanel",
    "draw_adjacencies",
    "draw_amplifications",
    "draw_block_rows",
    "draw_condition_numbers",
    "draw_distance_curves",
    "draw_drop_by_rate",
    "draw_ideal_inputs",
    "draw_image_rows",
    "draw_internal_dimensions",
    "draw_inversion_rounds",
    "draw_law_distances",
    "draw_leading_chains",
    "draw_mixed_matrix",
    "draw_planted_blocks",
    "draw_projection",
    "draw_rank_accuracy",
    "draw_ratio_boxes",
    "draw_rejections",
    "draw_separations",
    "draw_similarities",
    "draw_singular_values",
    "draw_spectral_images",
    "draw_survival",
    "draw_svr",
    "draw_svr_scheme",
    "draw_sweep",
    "draw_training_history",
    "draw_vectors",
    "style",
]
