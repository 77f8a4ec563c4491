"""What spectral neurons see in images, and how like edges it is (`svr`, Sections 4.1 and 5.1)."""

from paperlib.svr.images.filters import Padding, random_filters, spectral_filters
from paperlib.svr.images.similarities import MeanSimilarity, SobelSimilarity, mean_similarity, sobel_similarities
from paperlib.svr.images.sobel import sobel_magnitude, sobel_proxy
from paperlib.svr.images.spectral_images import spectral_images

__all__ = [
    "MeanSimilarity", "Padding", "SobelSimilarity", "mean_similarity", "random_filters", "sobel_magnitude",
    "sobel_proxy", "sobel_similarities", "spectral_filters", "spectral_images",
]  # fmt: skip
