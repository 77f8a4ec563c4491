"""What spectral neurons see in images, and how like edges it is (`svr`, Sections 4.1 and 5.1)."""

from paperlib.svr.images.filters import Padding, random_filters, spectral_filters
from paperlib.svr.images.similarities import (
    MeanSimilarity,
    SimilarityCurves,
    SobelSimilarity,
    mean_similarity,
    similarity_curves,
    sobel_similarities,
)
from paperlib.svr.images.sobel import sobel_magnitude, sobel_proxy
from paperlib.svr.images.spectral_images import spectral_images

__all__ = [
    "MeanSimilarity", "Padding", "SimilarityCurves", "SobelSimilarity", "mean_similarity", "random_filters",
    "similarity_curves", "sobel_magnitude", "sobel_proxy", "sobel_similarities", "spectral_filters", "spectral_images",
]  # fmt: skip
