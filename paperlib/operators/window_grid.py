"""The windows of MONAI's sliding-window inference: where they lie, how they are weighted and put together again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Integral

import torch
import torch.nn.functional as F
from torch import Tensor

from paperlib.operators.errors import ShapeError

MODES = ("constant", "gaussian")

Place = tuple[slice, ...]


@dataclass(frozen=True)
class WindowGrid:
    """Windows of one size over a volume, which is padded with zeros where it is smaller than they are.

    ``spatial`` are the volume's sides, ``padding`` (before, after) for each of them, ``places`` the windows' slices of
    the padded volume, in MONAI's order; ``weight`` ``(*roi_size)`` is g, and ``count`` (the padded volume's shape) the
    sum of the windows' weights in each voxel, the diagonal of D.
    """

    spatial: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    places: tuple[Place, ...]
    weight: Tensor
    count: Tensor

    def pad(self, volumes: Tensor) -> Tensor:
        """``(..., *spatial)`` with zeros around it."""
        if not any(chain(*self.padding)):
            return volumes
        return F.pad(volumes, list(chain(*reversed(self.padding))))

    def crop(self, padded: Tensor) -> Tensor:
        """The volume in the middle of a padded one; the adjoint of `pad`."""
        inner = (slice(before, before + side) for (before, _), side in zip(self.padding, self.spatial, strict=True))
        return padded[(..., *inner)]

    def cut(self, padded: Tensor, places: Sequence[Place]) -> Tensor:
        """Windows ``(len(places), ..., *roi_size)`` of padded volumes ``(..., *padded)``."""
        return torch.stack([padded[(..., *place)] for place in places])

    def add_up(self, pieces: Iterable[tuple[Sequence[Place], Tensor]]) -> Tensor:
        """The sum, over the padded volume, of windows ``(len(places), ..., *roi_size)`` put back to their places."""
        total = None
        for places, windows in pieces:
            if total is None:
                total = windows.new_zeros(*windows.shape[1 : -len(self.spatial)], *self.count.shape)
            for place, window in zip(places, windows, strict=True):
                total[(..., *place)] += window
        return total

    def stitch(self, pieces: Iterable[tuple[Sequence[Place], Tensor]]) -> Tensor:
        """The windows' weighted mean ``(..., *spatial)``: ``D^-1 sum_w R_w^T g``, cropped."""
        weighted = ((places, windows * self.weight) for places, windows in pieces)
        return self.crop(self.add_up(weighted).div_(self.count)).contiguous()

    def unstitch(self, volumes: Tensor) -> Tensor:
        """``D^-1`` of volumes ``(..., *spatial)`` padded with zeros: what the adjoint of `stitch` cuts and weighs."""
        return self.pad(volumes) / self.count


def window_grid(
    spatial: Sequence[int],
    roi_size: int | Sequence[int],
    overlap: float | Sequence[float],
    mode: str,
    sigma_scale: float | Sequence[float],
    like: Tensor,
) -> WindowGrid:
    """The windows that ``monai.inferers.sliding_window_inference`` takes of a volume with these sides.

    The weights get the dtype and device of ``like``. Raises ``ValueError`` for settings out of range and
    ``ShapeError`` where a setting is given for another number of axes than the volume has.
    """
    # Imported here, because it takes seconds and most users of the operators never need it.
    from monai.data.utils import compute_importance_map, dense_patch_slices

    roi_size = _per_axis("roi_size", roi_size, len(spatial))
    overlap = _per_axis("overlap", overlap, len(spatial))
    sigma_scale = _per_axis("sigma_scale", sigma_scale, len(spatial))
    _check_settings(roi_size, overlap, mode, sigma_scale)
    missing = [max(window - side, 0) for side, window in zip(spatial, roi_size, strict=True)]
    padded = [side + gap for side, gap in zip(spatial, missing, strict=True)]
    steps = [
        window if window == side else max(int(window * (1 - share)), 1)
        for side, window, share in zip(padded, roi_size, overlap, strict=True)
    ]
    # The slices' ends come as numpy's integers.
    places = tuple(
        tuple(slice(int(part.start), int(part.stop)) for part in place)
        for place in dense_patch_slices(padded, roi_size, steps)
    )
    weight = compute_importance_map(roi_size, mode=mode, sigma_scale=sigma_scale, device=like.device, dtype=like.dtype)
    count = like.new_zeros(padded)
    for place in places:
        count[place] += weight
    padding = tuple((gap // 2, gap - gap // 2) for gap in missing)
    return WindowGrid(tuple(spatial), padding, places, weight, count)


def _per_axis(name: str, value, axes: int) -> tuple:
    if not isinstance(value, Sequence):
        return (value,) * axes
    if len(value) != axes:
        raise ShapeError(f"{name} is {tuple(value)}; expected one number, or one for each of the {axes} spatial axes")
    return tuple(value)


def _check_settings(roi_size: tuple, overlap: tuple, mode: str, sigma_scale: tuple) -> None:
    if not all(isinstance(side, Integral) and side > 0 for side in roi_size):
        raise ValueError(f"roi_size is {roi_size}; expected whole numbers of voxels, 1 or more")
    if not all(0 <= share < 1 for share in overlap):
        raise ValueError(f"overlap is {overlap}; expected shares of the window, from 0 to below 1")
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}; expected one of {', '.join(MODES)}")
    if not all(scale > 0 for scale in sigma_scale):
        raise ValueError(f"sigma_scale is {sigma_scale}; expected shares of the window above 0")
