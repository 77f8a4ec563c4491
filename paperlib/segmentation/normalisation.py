"""Intensities of scans on one scale: clipped at percentiles and divided by their spread.

Scanners give arbitrary units, so that raw values of two scans cannot be compared. What is subtracted and what the
background becomes also decides what the norm of an image consists of, and with it the right projection ratio.

>>> import torch
>>> scan = torch.rand(1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
>>> in_other_units = normalised(5000 * scan, Normalisation())
>>> torch.allclose(normalised(scan, Normalisation()), in_other_units, atol=1e-5)
True
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

MODES = ("nonzero", "crop", "tissue", "no mean")
FIELDS = ("box", "ellipsoid")

_BINS = 256


@dataclass(frozen=True)
class Normalisation:
    """How `normalised` treats an image.

    ``mode`` says which voxels count for the percentiles beyond which values are clipped, the mean that is subtracted
    and the deviation that divides. ``"nonzero"``: those that are not 0, as MIST and MONAI have it; zeros, the
    background of scans without skull, stay zero. ``"crop"``: all voxels. ``"tissue"``: those above `otsu_threshold`,
    the brighter tissue of a crop that is nowhere zero. ``"no mean"``: those that are not 0, whose root mean square
    divides, and nothing is subtracted. With the ``field`` ``"ellipsoid"`` everything outside the ellipsoid that touches
    the sides of the volume becomes zero first, about half of it, as if the skull had been stripped.

    Raises ``ValueError`` for an unknown word and for percentiles that are not ``0 <= low < high <= 100``.
    """

    mode: str = "nonzero"
    percentiles: tuple[float, float] = (0.5, 99.5)
    field: str = "box"

    def __post_init__(self):
        for name, value, known in (("mode", self.mode, MODES), ("field", self.field, FIELDS)):
            if value not in known:
                raise ValueError(f"{name} is {value!r}; expected one of {', '.join(known)}")
        if not 0 <= self.percentiles[0] < self.percentiles[1] <= 100:
            raise ValueError(f"percentiles are {self.percentiles}; expected 0 <= low < high <= 100")


def normalised(image: Tensor, settings: Normalisation) -> Tensor:
    """An image ``(modalities, *spatial)`` of any scale and type, on the CPU, as float32, each modality for itself.

    A factor that multiplies the image changes nothing but rounding. Raises ``ValueError``, which names the modality,
    for NaN or infinity and where the voxels that count are all the same after clipping, or none, which has no scale.
    """
    if settings.field == "ellipsoid":
        image = torch.where(ellipsoid(image.shape[1:]), image, 0)
    return torch.stack([_channel(values.double(), settings, index) for index, values in enumerate(image)]).float()


def ellipsoid(shape: Sequence[int]) -> Tensor:
    """The voxels of a volume ``shape`` whose centres lie in the ellipsoid that touches its sides, as bool."""
    axes = [(torch.arange(side) + 0.5) * 2 / side - 1 for side in shape]
    return sum(place.square() for place in torch.meshgrid(*axes, indexing="ij")) <= 1


def otsu_threshold(values: Tensor) -> float:
    """The threshold with the largest variance between the two classes that it makes (Otsu 1979), over 256 bins.

    Raises ``ValueError`` for values that are all the same.
    """
    if values.min() == values.max():
        raise ValueError(f"all values are {values.min():g}, which no threshold divides")
    counts, edges = np.histogram(values.flatten().numpy(), bins=_BINS)
    below, above = np.cumsum(counts)[:-1], counts.sum() - np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * (edges[1:] + edges[:-1]) / 2)
    # The outer bins hold the smallest and the largest value, so that no class is empty.
    between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return float(edges[1:-1][between.argmax()])


def _channel(values: Tensor, settings: Normalisation, index: int) -> Tensor:
    if not values.isfinite().all():
        raise ValueError(f"modality {index} holds NaN or infinity; mend the image or leave it out")
    counted = _counted(values, settings.mode)
    if not counted.any():
        raise ValueError(f"modality {index} is zero everywhere, so it has no scale; leave the image out")
    low, high = np.percentile(values[counted].numpy(), settings.percentiles)
    clipped = values.clamp(low, high)
    kept = clipped[counted]
    middle = 0.0 if settings.mode == "no mean" else kept.mean()
    spread = (kept - middle).square().mean().sqrt()
    if spread == 0 or low == high:
        raise ValueError(f"modality {index} is {low:g} nearly everywhere, so it has no scale; leave the image out")
    result = (clipped - middle) / spread
    return torch.where(values == 0, 0.0, result) if settings.mode in ("nonzero", "no mean") else result


def _counted(values: Tensor, mode: str) -> Tensor:
    if mode == "crop":
        return torch.ones_like(values, dtype=torch.bool)
    if mode != "tissue":
        return values != 0
    # A few glaring voxels would take most of the bins.
    low, high = np.percentile(values.numpy(), (0.5, 99.5))
    # Where clipping leaves one value, nothing tells tissue from the rest; the scale that lacks is noticed later.
    return values != 0 if low == high else values > otsu_threshold(values.clamp(low, high))
