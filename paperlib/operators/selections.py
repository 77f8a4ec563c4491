"""Frozen max pooling: the places of the maxima, in as few bytes as they need."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from paperlib.operators.blocks import Operation


@dataclass(frozen=True)
class Windows:
    """The windows of a pooling layer: for each spatial axis kernel, stride, padding and dilation."""

    sides: tuple[int, ...]
    steps: tuple[int, ...]
    pads: tuple[int, ...]
    spreads: tuple[int, ...]

    @property
    def apart(self) -> bool:
        """Whether no two windows share a pixel."""
        return all(s >= d * (k - 1) + 1 for k, s, d in zip(self.sides, self.steps, self.spreads, strict=True))

    def corners(self, out_spatial: tuple[int, ...], in_spatial: tuple[int, ...], device: torch.device) -> Tensor:
        """Where each window begins in the flattened image ``(out,)``; in the padding the number is no place."""
        axes = zip(out_spatial, self.steps, self.pads, strict=True)
        return _grid([torch.arange(out, device=device) * step - pad for out, step, pad in axes], in_spatial)

    def distances(self, in_spatial: tuple[int, ...], device: torch.device) -> Tensor:
        """How far each place of a window is from its corner in the flattened image ``(kernel,)``."""
        axes = zip(self.sides, self.spreads, strict=True)
        return _grid([torch.arange(side, device=device) * spread for side, spread in axes], in_spatial)


@dataclass(frozen=True)
class MaxSelection(Operation):
    """Frozen max pooling: picks the recorded positions; the adjoint stuffs zeros around them.

    ``places`` ``(batch, 1, c, out)`` are offsets inside the windows, one byte each, where ``windows`` is given; else
    positions in the flattened image, four bytes each (eight from 2^31 pixels on).
    """

    product_is_new = adjoint_is_new = True
    places: Tensor
    in_spatial: tuple[int, ...]
    out_spatial: tuple[int, ...]
    windows: Windows | None = None

    @classmethod
    def of(cls, positions: Tensor, in_spatial: tuple[int, ...], windows: Windows) -> "MaxSelection":
        """From torch's ``positions`` ``(batch, c, *out)`` in the flattened image."""
        flat, out_spatial = positions.flatten(2).unsqueeze(1), tuple(positions.shape[2:])
        if not windows.apart or prod(windows.sides) > 2**8:
            return cls(flat.to(torch.int32 if prod(in_spatial) <= 2**31 else torch.int64), in_spatial, out_spatial)
        distances, order = windows.distances(in_spatial, flat.device).sort()
        # Where a window is larger than the image two of its places can have one distance; either gives the position.
        inside = (flat - windows.corners(out_spatial, in_spatial, flat.device)).contiguous()
        found = order[torch.searchsorted(distances, inside)]
        return cls(found.to(torch.uint8), in_spatial, out_spatial, windows)

    def product(self, vectors: Tensor) -> Tensor:
        flat = vectors.flatten(3)
        picked = flat.gather(3, self.positions().expand(-1, flat.shape[1], -1, -1))
        return picked.unflatten(3, self.out_spatial)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        flat = vectors.flatten(3)
        stuffed = flat.new_zeros(*flat.shape[:3], prod(self.in_spatial))
        stuffed.scatter_add_(3, self.positions().expand(-1, flat.shape[1], -1, -1), flat)
        return (stuffed.unflatten(3, self.in_spatial),)

    def positions(self) -> Tensor:
        """``(batch, 1, c, out)`` in the flattened image, eight bytes each, as torch's indexing wants them."""
        if self.windows is None:
            return self.places.long()
        distances = self.windows.distances(self.in_spatial, self.places.device)
        corners = self.windows.corners(self.out_spatial, self.in_spatial, self.places.device)
        return distances[self.places.int()].add_(corners)

    def at(self, index: slice) -> "MaxSelection":
        return MaxSelection(self.places[index], self.in_spatial, self.out_spatial, self.windows)

    @property
    def mask_bytes(self) -> int:
        return self.places.nbytes


def _grid(coordinates: list[Tensor], spatial: tuple[int, ...]) -> Tensor:
    """Positions in a flattened image of sides ``spatial`` of all points of a grid, given along each axis."""
    total = coordinates[0]
    for along, side in zip(coordinates[1:], spatial[1:], strict=True):
        total = (total * side).unsqueeze(-1) + along
    return total.flatten()
