"""On which scales the intensities of a set of scans lie, before and after normalisation."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from paperlib.datasets.volumes import VolumeSet
from paperlib.segmentation.normalisation import Normalisation
from paperlib.segmentation.patches import prepared

_EIGHT_BITS = 255
# More digits would only make result files longer.
_SIGNIFICANT = 6


@dataclass(frozen=True)
class IntensityScale:
    """Percentiles ``(low, median, high)`` of one scan's voxels that are not 0, ``before`` and ``after`` normalisation.

    ``eight_bit``: all its values are whole numbers from 0 to 255. ``dataclasses.asdict`` gives plain JSON, of which
    ``IntensityScale(**values)`` makes it again.
    """

    name: str
    eight_bit: bool
    before: tuple[float, float, float]
    after: tuple[float, float, float]

    def __post_init__(self):
        # JSON has lists only.
        object.__setattr__(self, "before", tuple(self.before))
        object.__setattr__(self, "after", tuple(self.after))


def intensity_scales(
    volumes: VolumeSet, settings: Normalisation | None = None, *, modality: int = 0
) -> tuple[IntensityScale, ...]:
    """The scale of each volume in one modality; the percentiles are 50 and those at which ``settings`` clips.

    ``settings`` are by default those of `SegmentationRecipe`. Raises ``VolumeError``, which names it, for a volume
    that cannot be read or normalised, and ``ValueError`` for a modality that is not there.
    """
    if not 0 <= modality < volumes.modalities:
        raise ValueError(f"modality is {modality}; {volumes.name} has {volumes.modalities}, counted from 0")
    settings = settings or Normalisation()
    low, high = settings.percentiles
    places = (low, 50, high)
    scales = []
    for index in range(len(volumes)):
        volume = volumes[index]
        image, result = volume.image[modality], prepared(volume, settings)[modality]
        shown = image != 0
        whole = bool((image == image.round()).all() and image.min() >= 0 and image.max() <= _EIGHT_BITS)
        before, after = (_percentiles(values[shown], places) for values in (image, result))
        scales.append(IntensityScale(volume.name, whole, before, after))
    return tuple(scales)


def _percentiles(values: Tensor, places: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_SIGNIFICANT}g}") for value in np.percentile(values.double().numpy(), places))
