"""Scans as another scanner or another protocol would have delivered them.

>>> import torch
>>> from paperlib.segmentation.shifts import Shift, shifted
>>> image = torch.rand(1, 16, 16, 16) + 1
>>> shifted(image, Shift("scaling", 2.0), seed=0).equal(2 * image)
True
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from monai.transforms import AdjustContrast, GaussianSmooth, GibbsNoise, RandBiasField, RandRicianNoise
from torch import Tensor

from paperlib.datasets.volumes import Volume, VolumeSet

_BIAS_DEGREE = 3


@dataclass(frozen=True)
class Shift:
    """A change of acquisition, applied to raw intensities.

    The ``kind``, and what its ``level`` means (in brackets the level that changes nothing):

    - ``"noise"`` (0): Rician noise, the deviation of its two parts relative to that of each modality;
    - ``"bias field"`` (0): a factor that varies smoothly, the exponential of a polynomial of degree 3 in the three
      places, whose Legendre coefficients are drawn between ``-level`` and ``level``; the same in all modalities;
    - ``"contrast"`` (1): the exponent of each modality's intensities between their smallest and largest value;
    - ``"blur"`` (0): the deviation of a Gaussian filter, in voxels;
    - ``"thick slices"`` (1): so many slices of the last axis become one, the mean, and are interpolated again;
    - ``"truncation"`` (0): the share of the radius of k-space that was not measured, which makes edges ring;
    - ``"scaling"`` (1): a factor for all intensities. Normalisation undoes it, so it is the control.

    Raises ``ValueError`` for an unknown kind and for a level that is out of its range.
    """

    kind: str
    level: float

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"shift {self.kind!r} is unknown; expected one of {', '.join(KINDS)}")
        low, high = _KINDS[self.kind].range
        if not low <= self.level <= high:
            raise ValueError(f"{self.kind} has level {self.level:g}; expected {low:g} to {high:g}")
        if self.kind == "thick slices" and self.level != int(self.level):
            raise ValueError(f"thick slices has level {self.level:g}; expected a whole number of slices")

    def __str__(self) -> str:
        return f"{self.kind} {self.level:g}"

    @property
    def neutral(self) -> float:
        """The level of this kind that changes nothing."""
        return _KINDS[self.kind].neutral

    @classmethod
    def parse(cls, text: str) -> "Shift":
        """The shift that ``"bias field 0.4"`` means; ``ValueError`` says what was expected."""
        kind, _, level = text.strip().rpartition(" ")
        try:
            value = float(level)
        except ValueError:
            raise ValueError(f"{text!r} is no shift; expected a kind and its level, such as 'noise 0.2'") from None
        return cls(kind, value)


def shifted(image: Tensor, shift: Shift, *, seed: int) -> Tensor:
    """An image ``(modalities, *spatial)`` of three spatial axes after the shift: float32, of the same shape.

    Voxels that are exactly 0 stay 0: they were removed behind the scanner, as the skull is. What is random follows from
    ``seed`` and is the same at all levels of a kind.
    """
    image = image.float()
    if shift.level == shift.neutral:
        return image.clone()
    changed = _KINDS[shift.kind].change(image, shift.level, seed)
    # MONAI's transforms carry metadata along, which the operators have no use for.
    return torch.where(image == 0, 0.0, changed.as_subclass(Tensor).to(image.dtype))


def shifted_volumes(volumes: VolumeSet, shift: Shift, *, seed: int) -> VolumeSet:
    """The volumes with their images shifted when they are read, each by a seed of its own; the labels stay."""
    return volumes.mapped(_Shifted(shift, seed), f"shifted by {shift}, seed {seed}")


@dataclass(frozen=True)
class _Shifted:
    shift: Shift
    seed: int

    def __call__(self, volume: Volume) -> Volume:
        # MONAI's transforms draw from 32-bit seeds.
        own = int.from_bytes(hashlib.sha256(f"{self.seed} {volume.name}".encode()).digest()[:4])
        return replace(volume, image=shifted(volume.image, self.shift, seed=own))


def _noise(image: Tensor, level: float, seed: int) -> Tensor:
    noisy = []
    for index, modality in enumerate(image):
        deviation = level * modality[modality != 0].double().std().item()
        transform = RandRicianNoise(prob=1.0, std=deviation, sample_std=False)
        transform.set_random_state((seed + index) % 2**32)
        noisy.append(transform(modality.clone()))
    return torch.stack(noisy)


def _bias_field(image: Tensor, level: float, seed: int) -> Tensor:
    transform = RandBiasField(_BIAS_DEGREE, (-level, level), prob=1.0)
    transform.set_random_state(seed)
    return transform(image)


def _contrast(image: Tensor, level: float, _seed: int) -> Tensor:
    return torch.stack([AdjustContrast(level)(modality) for modality in image])


def _blur(image: Tensor, level: float, _seed: int) -> Tensor:
    return GaussianSmooth(level)(image)


def _thick_slices(image: Tensor, level: float, _seed: int) -> Tensor:
    # The last slice may be thinner: only what it holds counts for its mean.
    thick = F.avg_pool3d(image, (1, 1, int(level)), ceil_mode=True)
    size = (*image.shape[1:3], thick.shape[-1] * int(level))
    return F.interpolate(thick[None], size=size, mode="trilinear")[0][..., : image.shape[-1]]


def _truncation(image: Tensor, level: float, _seed: int) -> Tensor:
    # Scanners deliver magnitudes.
    return GibbsNoise(level)(image).abs()


def _scaling(image: Tensor, level: float, _seed: int) -> Tensor:
    return image * level


@dataclass(frozen=True)
class _Kind:
    change: Callable[[Tensor, float, int], Tensor]
    neutral: float
    range: Sequence[float]


_KINDS = {
    "noise": _Kind(_noise, 0, (0, 100)),
    "bias field": _Kind(_bias_field, 0, (0, 10)),
    "contrast": _Kind(_contrast, 1, (0.01, 100)),
    "blur": _Kind(_blur, 0, (0, 100)),
    "thick slices": _Kind(_thick_slices, 1, (1, 100)),
    "truncation": _Kind(_truncation, 0, (0, 0.99)),
    "scaling": _Kind(_scaling, 1, (1e-6, 1e6)),
}

KINDS = tuple(_KINDS)
