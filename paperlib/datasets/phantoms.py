"""Generated volumes that look like scans of heads with lesions, so that 3-D networks need no download.

>>> from paperlib.datasets.phantoms import phantom_volumes
>>> data = phantom_volumes(2, (16, 16, 24))
>>> data.images.shape, data.labels.shape
(torch.Size([2, 4, 16, 16, 24]), torch.Size([2, 16, 16, 24]))
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SMALLEST_SIDE = 16

# Intensity of fluid, grey and white matter, and what a lesion of contrast 1 adds, in four modalities that are
# contrasted as T1, contrast-enhanced T1, T2 and FLAIR images are; further modalities repeat them.
_TISSUES = torch.tensor([[0.25, 0.60, 0.90], [0.25, 0.65, 0.90], [1.00, 0.65, 0.45], [0.20, 0.70, 0.55]])
_LESION = torch.tensor([-0.30, 0.50, 0.50, 0.80])

# Lengths are parts of half a side. The smallest of these lesions still holds a voxel's centre at the smallest side.
LESION_RADII = (0.18, 0.32)
_SEMI_AXES = torch.tensor([0.76, 0.84, 0.72])
_IRREGULARITY = 0.3


@dataclass(frozen=True)
class VolumeData:
    """Volumes with a mask of what is to be found.

    ``images``: float32 ``(count, modalities, *shape)``, zero outside the head. ``labels``: uint8 ``(count, *shape)``,
    1 inside a lesion. ``contrasts``: float64 ``(count,)``, the lesion contrast that was drawn. ``selection`` says the
    settings and the seed.
    """

    images: Tensor
    labels: Tensor
    contrasts: Tensor
    name: str
    selection: str

    def __len__(self) -> int:
        return len(self.labels)

    def provenance(self) -> dict:
        """What a result records about the data that it was measured on, as `ImageData.provenance` has it."""
        content = hashlib.sha256(self.images.numpy().tobytes())
        content.update(self.labels.numpy().tobytes())
        return {
            "name": self.name,
            "part": "all",
            "title": "Generated head phantoms with lesions",
            "source": "generated",
            "sha256": content.hexdigest(),
            "selection": self.selection,
            "count": len(self),
        }


def phantom_volumes(
    count: int,
    shape: tuple[int, int, int] = (64, 64, 64),
    *,
    modalities: int = 4,
    seed: int = 0,
    contrast: tuple[float, float] = (0.2, 1.0),
    radius: tuple[float, float] = LESION_RADII,
    noise: float = 0.05,
    bias: float = 0.3,
    normalise: bool = True,
    first: int = 0,
) -> VolumeData:
    """Draw ``count`` volumes from number ``first`` on; volume i depends on the seed, i and the settings alone.

    Each is a smoothly deformed ellipsoid (the head, about a quarter of the volume) of fluid, grey and white matter with
    ventricles and deep nuclei, whose intensities differ between the modalities and a little between volumes. It holds
    one to three lesions of irregular outline (in all 0.2 to 20 per cent of the head), of a mean ``radius`` drawn from
    that range for each, as a part of half a side, and brighter or darker than the tissue by ``contrast``, drawn from
    its range once for each volume. A lesion smaller than a voxel may leave the mask empty. A smooth field between
    ``exp(-bias)`` and ``exp(bias)`` multiplies each modality; then comes Rician noise of deviation ``noise`` (white
    matter in the first modality is 0.9), zero outside the head, and with ``normalise`` mean 0 and deviation 1 inside.

    Raises ``ValueError`` for a shape other than three sides of 16 or more, and for settings out of range.
    """
    _check(count, first, shape, modalities, contrast, noise, bias)
    _check_radius(radius)
    images = torch.empty(count, modalities, *shape)
    labels = torch.empty(count, *shape, dtype=torch.uint8)
    contrasts = torch.empty(count, dtype=torch.float64)
    for index in range(count):
        generator = _generator(seed, first + index)
        contrasts[index] = contrast[0] + (contrast[1] - contrast[0]) * _uniform(generator, 1).item()
        head, tissue, lesion = _anatomy(shape, radius, generator)
        clean = _intensities(tissue, lesion, contrasts[index].item(), modalities, generator)
        images[index] = _scanned(clean, head, noise, bias, normalise, generator)
        labels[index] = head & (lesion > 0.5)
    selection = (
        f"seed {seed}, shape {' x '.join(map(str, shape))}, {modalities} modalities, contrast {contrast[0]:g} to "
        f"{contrast[1]:g}, noise {noise:g}, bias {bias:g}, {'normalised' if normalise else 'not normalised'}"
    ) + (f", from number {first} on" if first else "")
    if tuple(radius) != LESION_RADII:
        selection += f", radius {radius[0]:g} to {radius[1]:g}"
    return VolumeData(images, labels, contrasts, "phantoms", selection)


def _check(count: int, first: int, shape: Sequence[int], modalities: int, contrast, noise: float, bias: float) -> None:
    if len(shape) != 3 or min(shape) < SMALLEST_SIDE:
        raise ValueError(f"shape is {tuple(shape)}; expected three sides of {SMALLEST_SIDE} or more")
    if count < 0 or modalities < 1:
        raise ValueError(f"{count} volumes of {modalities} modalities; expected none or more, of one or more")
    if first < 0:
        raise ValueError(f"first is {first}; volumes are counted from 0")
    if not 0 <= contrast[0] <= contrast[1]:
        raise ValueError(f"contrast is {tuple(contrast)}; expected (smallest, largest), not negative")
    if noise < 0 or bias < 0:
        raise ValueError(f"noise is {noise} and bias {bias}; neither can be negative")


def _check_radius(radius) -> None:
    if not 0 < radius[0] <= radius[1] < 1:
        raise ValueError(f"radius is {tuple(radius)}; expected (smallest, largest), above 0 and below 1")


def _anatomy(
    shape: Sequence[int], radius: Sequence[float], generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """The head ``shape`` bool, shares of fluid, grey and white matter ``(3, *shape)``, and the lesions' share."""
    edge = 0.7 / min(shape)  # half a voxel's width of partial volume
    place = _centres(shape)
    warped = place + 0.045 * _smooth_fields(3, shape, 4, generator)
    axes = _SEMI_AXES * (0.92 + 0.12 * _uniform(generator, 3))
    depth = _length(warped / axes.reshape(3, 1, 1, 1))
    folded = depth + 0.06 * _smooth_fields(1, shape, 11, generator)[0]
    # Left and right mirror each other in the last axis, but for the deformation.
    sides = torch.stack([warped[0], warped[1], warped[2].abs()])
    ventricles = _inside(_ellipsoid(sides, (0.02, -0.05, 0.11), (0.17, 0.34, 0.075)), 1, 4 * edge)
    nuclei = _inside(_ellipsoid(sides, (-0.04, 0.05, 0.30), (0.15, 0.20, 0.10)), 1, 4 * edge)
    white = _inside(folded, 0.76, edge) * (1 - nuclei) * (1 - ventricles)
    fluid = torch.maximum(1 - _inside(folded, 0.94, edge), ventricles)
    tissue = torch.stack([fluid, (1 - white - fluid).clamp_min(0), white])
    return depth < 1, tissue, _lesions(place, axes, edge, radius, generator)


def _lesions(place: Tensor, axes: Tensor, edge: float, radii: Sequence[float], generator: torch.Generator) -> Tensor:
    """The share of lesion in each voxel: balls in the inner head, their radius changed by a smooth field."""
    number = int(torch.randint(1, 4, (1,), generator=generator))
    outline = 1 + _IRREGULARITY * (0.9 * _smooth_fields(1, place.shape[1:], 9, generator)[0]).clamp(-1, 1)
    share = torch.zeros(place.shape[1:])
    for _ in range(number):
        direction = torch.randn(3, generator=generator)
        centre = 0.65 * axes * direction / direction.norm() * _uniform(generator, 1) ** (1 / 3)
        smallest, largest = radii
        radius = smallest + (largest - smallest) * _uniform(generator, 1).item()
        distance = _length(place - centre.reshape(3, 1, 1, 1)) / outline
        share = torch.maximum(share, _inside(distance, radius, edge))
    return share


def _intensities(
    tissue: Tensor, lesion: Tensor, contrast: float, modalities: int, generator: torch.Generator
) -> Tensor:
    """``(modalities, *shape)``: what a scanner without noise would see."""
    rows = torch.arange(modalities) % len(_TISSUES)
    levels = _TISSUES[rows] * (1 + 0.04 * torch.randn(modalities, 3, generator=generator))
    clean = torch.einsum("mt,txyz->mxyz", levels, tissue)
    return (clean + contrast * _LESION[rows].reshape(-1, 1, 1, 1) * lesion).clamp_min(0)


def _scanned(
    clean: Tensor, head: Tensor, noise: float, bias: float, normalise: bool, generator: torch.Generator
) -> Tensor:
    field = _smooth_fields(len(clean), head.shape, 3, generator)
    field /= field.abs().amax((1, 2, 3), keepdim=True)
    real, imaginary = noise * torch.randn(2, *clean.shape, generator=generator)
    volume = torch.hypot(clean * (bias * field).exp() + real, imaginary)
    if normalise:
        inside = volume[:, head].double()
        mean, deviation = inside.mean(1), inside.std(1, correction=0)
        volume = (volume - mean.float().reshape(-1, 1, 1, 1)) / deviation.float().reshape(-1, 1, 1, 1)
    return torch.where(head, volume, 0)


def _centres(shape: Sequence[int]) -> Tensor:
    """``(3, *shape)``: the voxels' centres, each axis from -1 to 1."""
    axes = [(torch.arange(side) + 0.5) * 2 / side - 1 for side in shape]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))


def _smooth_fields(count: int, shape: Sequence[int], knots: int, generator: torch.Generator) -> Tensor:
    """``(count, *shape)``: normal fields of mean 0 and variance 1 in every voxel, smooth over 1 / knots of a side.

    Each is a sum of Gaussian bumps on a grid of knots with normal weights; along each axis the bumps' squares sum
    to one, so that the variance is the same everywhere.
    """
    field = torch.randn(count, *([knots + 2] * 3), generator=generator)
    for axis, side in enumerate(shape):
        voxels = (torch.arange(side) + 0.5) * knots / side
        centres = torch.arange(knots + 2) - 0.5
        bumps = torch.exp(-((voxels.unsqueeze(1) - centres) ** 2))
        bumps /= bumps.norm(dim=1, keepdim=True)
        field = (field.movedim(1 + axis, -1) @ bumps.T).movedim(-1, 1 + axis)
    return field


def _inside(distance: Tensor, limit: float, edge: float) -> Tensor:
    return torch.sigmoid((limit - distance) / edge)


def _ellipsoid(place: Tensor, centre: Sequence[float], axes: Sequence[float]) -> Tensor:
    centre, axes = (torch.tensor(value).reshape(3, 1, 1, 1) for value in (centre, axes))
    return _length((place - centre) / axes)


def _length(vectors: Tensor) -> Tensor:
    return vectors.square().sum(0).sqrt()


def _uniform(generator: torch.Generator, count: int) -> Tensor:
    return torch.rand(count, generator=generator)


def _generator(seed: int, index: int) -> torch.Generator:
    state = np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state))
