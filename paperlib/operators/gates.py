"""Frozen ReLU and leaky ReLU: the diagonal of zeros and ones (or slopes) that an image leaves in a network."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from paperlib.operators.blocks import Operation, channels_inward, channels_last, channels_second
from paperlib.operators.masks import Mask
from paperlib.operators.window_sums import WindowSum, window_sums

# Entries whose slopes are written out at once on the CPU: what stays in the cache of one core.
_PIECE = 2**17


@dataclass(frozen=True)
class Gate(Operation):
    """Frozen ReLU or leaky ReLU: multiplication by 1 where the mask is open, and by the negative slope elsewhere.

    Symmetric; for ReLU also idempotent. At exactly 0 the gate is closed, as torch's derivative has it.
    """

    product_is_new = adjoint_is_new = True
    mask: Mask
    negative_slope: float = 0.0

    def product(self, vectors: Tensor) -> Tensor:
        return self._times(vectors, overwrite=False)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (self._times(vectors, overwrite=False),)

    def overwriting_product(self, vectors: Tensor) -> Tensor:
        return self._times(vectors, overwrite=True)

    def overwriting_adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (self._times(vectors, overwrite=True),)

    def at(self, index: slice) -> "Gate":
        return Gate(self.mask.at(index), self.negative_slope)

    def packed(self) -> "Gate":
        return Gate(self.mask.packed(), self.negative_slope)

    @property
    def mask_bytes(self) -> int:
        return self.mask.stored.nbytes

    def slopes(self, start: int, stop: int, dtype: torch.dtype) -> Tensor:
        """``(batch, stop - start)`` of the slopes in the order of memory."""
        return self.mask.slopes(start, stop, self.negative_slope, dtype)

    def _times(self, vectors: Tensor, overwrite: bool) -> Tensor:
        inward = channels_inward(vectors)
        if not inward.is_contiguous():
            inward, overwrite = inward.contiguous(), True
        target = inward if overwrite else torch.empty_like(inward)
        # Piece by piece: in new memory of the size of a layer the slopes would cost more than the product itself.
        flat, into = inward.flatten(2), target.flatten(2)
        for start, stop in _pieces(self.mask.size, 1, vectors):
            slopes = self.slopes(start, stop, vectors.dtype).unsqueeze(1)
            torch.mul(flat[..., start:stop], slopes, out=into[..., start:stop])
        return channels_second(target)


@dataclass(frozen=True)
class GatedWindowSum(Operation):
    """A gate, then a window sum over two or three spatial axes, in one pass over memory."""

    product_is_new = adjoint_is_new = True
    gate: Gate
    pool: WindowSum

    def product(self, vectors: Tensor) -> Tensor:
        inward, window = channels_inward(vectors), self.pool.window
        sides = [side // step for side, step in zip(inward.shape[2:], window, strict=False)]
        result = vectors.new_empty(*vectors.shape[:2], *sides, vectors.shape[2])
        for start, stop, slopes in self._slabs(vectors):
            slab = inward[:, :, start * window[0] : stop * window[0]] * slopes
            result[:, :, start:stop] = window_sums(slab, window)
        return channels_second(result)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        inward, window = channels_inward(channels_last(vectors)), self.pool.window
        sides = [side * step for side, step in zip(inward.shape[2:], window, strict=False)]
        result = vectors.new_empty(*vectors.shape[:2], *sides, vectors.shape[2])
        for start, stop, slopes in self._slabs(vectors):
            slab = inward[:, :, start:stop]
            for axis in range(len(window)):
                slab = slab.unsqueeze(3 + 2 * axis)
            torch.mul(
                slab, _split(slopes, window), out=_split(result[:, :, start * window[0] : stop * window[0]], window)
            )
        return (channels_second(result),)

    def at(self, index: slice) -> "GatedWindowSum":
        return GatedWindowSum(self.gate.at(index), self.pool)

    def packed(self) -> "GatedWindowSum":
        return GatedWindowSum(self.gate.packed(), self.pool)

    @property
    def mask_bytes(self) -> int:
        return self.gate.mask_bytes

    def _slabs(self, vectors: Tensor) -> Iterator[tuple[int, int, Tensor]]:
        """Rows of windows along the first spatial axis, start and stop, with their slopes."""
        channels, first, *others = self.gate.mask.shape
        row = self.pool.window[0] * prod(others) * channels
        for start, stop in _pieces(first // self.pool.window[0], row, vectors):
            slopes = self.gate.slopes(start * row, stop * row, vectors.dtype)
            if self.pool.scale != 1:
                slopes = slopes * self.pool.scale
            yield start, stop, slopes.view(len(slopes), 1, -1, *others, channels)


def _pieces(count: int, size: int, vectors: Tensor) -> Iterator[tuple[int, int]]:
    """Cut ``count`` things of ``size`` entries, for each image, into pieces that fit the cache; one piece on a GPU."""
    step = max(1, _PIECE // (size * len(vectors))) if vectors.device.type == "cpu" else count
    return ((start, min(start + step, count)) for start in range(0, count, step))


def _split(inward: Tensor, window: tuple[int, ...]) -> Tensor:
    """``(batch, k, *spatial, c)`` with each spatial axis as two: the windows, and the places inside them."""
    for axis in reversed(range(len(window))):
        inward = inward.unflatten(2 + axis, (-1, window[axis]))
    return inward
