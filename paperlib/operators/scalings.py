"""Operations that scale each value by a number of its own: frozen statistics, slopes of a channel, a choice of two."""

from dataclasses import dataclass

from torch import Tensor

from paperlib.operators.blocks import Operation
from paperlib.operators.gates import Gate
from paperlib.operators.operations import Diagonal


class ImageScaling(Diagonal):
    """Multiplication by a factor ``(batch, 1, *shape)`` that differs from image to image: frozen statistics."""

    def at(self, index: slice) -> "ImageScaling":
        return ImageScaling(self.factor[index])


@dataclass(frozen=True)
class ChannelGate(Operation):
    """Frozen PReLU: where the ``gate`` of a ReLU is closed, the slope of the channel instead of zero.

    ``slopes`` broadcasts against ``(*shape)``.
    """

    product_is_new = adjoint_is_new = True
    gate: Gate
    slopes: Tensor

    def product(self, vectors: Tensor) -> Tensor:
        # The slope everywhere, and what is missing to one where the gate is open.
        return (self.gate.product(vectors) * (1 - self.slopes)).addcmul_(vectors, self.slopes)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (self.product(vectors),)

    def at(self, index: slice) -> "ChannelGate":
        return ChannelGate(self.gate.at(index), self.slopes)

    def packed(self) -> "ChannelGate":
        return ChannelGate(self.gate.packed(), self.slopes)

    @property
    def mask_bytes(self) -> int:
        return self.gate.mask_bytes


@dataclass(frozen=True)
class Choice(Operation):
    """Each value from the first argument where the ``gate`` is open, else from the second: a frozen ``torch.where``."""

    product_is_new = True
    gate: Gate

    def product(self, first: Tensor, second: Tensor) -> Tensor:
        return self.gate.product(first - second) + second

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        first = self.gate.adjoint(vectors)[0]
        return first, vectors - first

    def at(self, index: slice) -> "Choice":
        return Choice(self.gate.at(index))

    def packed(self) -> "Choice":
        return Choice(self.gate.packed())

    @property
    def mask_bytes(self) -> int:
        return self.gate.mask_bytes
