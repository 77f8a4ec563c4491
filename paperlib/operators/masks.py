"""Which entries of an activation a gate lets through: one byte an entry, or one bit."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from paperlib.operators.bits import BITS, pack, unpack
from paperlib.operators.blocks import channels_inward

MASKS = ("bool", "bits")


def check_masks(masks: str) -> None:
    """Raise ``ValueError`` unless ``masks`` names a way of storing them."""
    if masks not in MASKS:
        raise ValueError(
            f"masks is {masks!r}; expected 'bool' (one byte an activation) or 'bits' (packed eight to a byte)"
        )


@dataclass(frozen=True)
class Mask:
    """Booleans ``(batch, *shape)``, stored image by image in the memory order of blocks (channels innermost).

    ``stored`` is ``(batch, n)`` of booleans, or ``(batch, ceil(n / 8))`` of bytes.
    """

    stored: Tensor
    shape: tuple[int, ...]

    @classmethod
    def of(cls, opened: Tensor) -> "Mask":
        """From booleans ``(batch, *shape)``."""
        return cls(channels_inward(opened.unsqueeze(1)).flatten(1), tuple(opened.shape[1:]))

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def size(self) -> int:
        """Booleans of one image."""
        return prod(self.shape)

    def at(self, index: slice) -> "Mask":
        return Mask(self.stored[index], self.shape)

    def packed(self) -> "Mask":
        return self if self.stored.dtype == torch.uint8 else Mask(pack(self.stored), self.shape)

    def slopes(self, start: int, stop: int, closed: float, dtype: torch.dtype) -> Tensor:
        """``(batch, stop - start)``: 1 where the gate is open and ``closed`` where not, in the order of memory."""
        if self.stored.dtype == torch.bool:
            return _with_slope(self.stored[:, start:stop].to(dtype), closed)
        first = start // BITS
        values = _with_slope(torch.arange(2, dtype=dtype, device=self.stored.device), closed)
        found = unpack(self.stored[:, first : -(-stop // BITS)], stop - BITS * first, values)
        return found[:, start - BITS * first :]


def _with_slope(opened: Tensor, closed: float) -> Tensor:
    """Zeros and ones, the zeros replaced by a slope; in place, and exact for the ones."""
    return opened.add_(1 - opened, alpha=closed) if closed else opened
