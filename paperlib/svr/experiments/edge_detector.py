"""Whether the first spectral neuron of a convolution is the one most like edges (`svr`, Section 5.1, Figures 6, 14)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch

from paperlib.svr.images.similarities import SobelSimilarity, mean_similarity, similarity_curves


@dataclass(frozen=True)
class EdgeRow:
    """Mean cosines with Sobel's edges in one layer.

    ``best`` is the neuron with the largest mean, ``first`` the mean of neuron 0 and ``second`` the largest of the
    others. ``gap`` is ``first - second``, ``band`` the half width of the interval of the mean of *paired differences*
    between the two, and ``gap_over_band`` their ratio. ``random_best`` is the largest mean of random filters,
    ``shuffled_first`` that of neuron 0 with the edges of other images.
    """

    map_size: tuple[int, int]
    best: int
    first: float
    second: float
    gap: float
    band: float
    random_best: float
    shuffled_first: float

    @property
    def gap_over_band(self) -> float:
        return self.gap / self.band


def edge_rows(found: Mapping[str, SobelSimilarity], z: float) -> dict[str, EdgeRow]:
    """One row for each layer, intervals ``z`` standard errors to each side."""
    return {path: _row(one, z) for path, one in found.items()}


def _row(found: SobelSimilarity, z: float) -> EdgeRow:
    means = mean_similarity(found.spectral, z).mean
    other = 1 + int(means[1:].argmax())
    # Both neurons see the same images: the spread of the images themselves does not blur the difference.
    difference = mean_similarity(found.spectral[:, [0]] - found.spectral[:, [other]], z)
    return EdgeRow(
        map_size=found.map_size,
        best=int(means.argmax()),
        first=means[0].item(),
        second=means[other].item(),
        gap=difference.mean.item(),
        band=difference.half_width.item(),
        random_best=found.random_filters.double().mean(0).max().item(),
        shuffled_first=found.other_images[:, 0].double().mean().item(),
    )


def similarity_values(found: Mapping[str, SobelSimilarity], z: float) -> dict:
    """What a result records: rows and curves by layer, and the share of layers whose first neuron is the best."""
    rows = edge_rows(found, z)
    first = torch.tensor([row.best == 0 for row in rows.values()])
    clear = torch.tensor([row.gap > row.band for row in rows.values()])
    layers = [{"path": path, "gap_over_band": row.gap_over_band} | asdict(row) for path, row in rows.items()]
    return {
        "layers": layers,
        "curves": [similarity_curves(one, z).as_lists(digits=4) for one in found.values()],
        "first_is_best": first.double().mean().item(),
        "first_is_clearly_best": (first & clear).double().mean().item(),
    }
