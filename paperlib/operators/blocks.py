"""What every operation of a frozen network is, and how its vectors lie in memory.

Vectors are blocks ``(batch, k, *shape)``: k vectors for each image of a batch.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from torch import Tensor


class Operation(ABC):
    """A linear map on blocks, with one or more arguments."""

    product_is_new: ClassVar[bool] = False
    """Whether the product is a new tensor that shares no memory with an argument, so that it may be overwritten."""
    adjoint_is_new: ClassVar[bool] = False
    """The same of the results of the adjoint, which share none with each other either."""

    @abstractmethod
    def product(self, *vectors: Tensor) -> Tensor:
        """Blocks ``(batch, k, *in)``, one for each argument, to ``(batch, k, *out)``."""

    @abstractmethod
    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """``(batch, k, *out)`` to one block ``(batch, k, *in)`` for each argument."""

    def overwriting_product(self, *vectors: Tensor) -> Tensor:
        """`product` that may use the memory of its arguments, which nothing else reads."""
        return self.product(*vectors)

    def overwriting_adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """`adjoint` that may use the memory of its argument, which nothing else reads."""
        return self.adjoint(vectors)

    def at(self, index: slice) -> "Operation":
        """The same operation for some images of the batch."""
        return self

    def packed(self) -> "Operation":
        """The same operation with its booleans packed eight to a byte."""
        return self

    def with_weights_of(self, other: "Operation") -> "Operation":
        """The same operation with the weights of ``other``, of the same network at other images, instead of a copy."""
        return self

    @property
    def mask_bytes(self) -> int:
        """Bytes of what was recorded at the images: open gates and places of maxima."""
        return 0


def channels_last(vectors: Tensor) -> Tensor:
    """The same block with the channels innermost in memory, where it has spatial axes; torch's convolutions and the
    broadcasting over pooling windows are fastest so."""
    return channels_second(channels_inward(vectors).contiguous()) if _has_layout(vectors) else vectors


def channels_inward(vectors: Tensor) -> Tensor:
    """``(batch, k, c, *spatial)`` as ``(batch, k, *spatial, c)`` for two or three spatial axes, others as they are."""
    return vectors.movedim(2, -1) if _has_layout(vectors) else vectors


def channels_second(vectors: Tensor) -> Tensor:
    """The inverse of `channels_inward`."""
    return vectors.movedim(-1, 2) if _has_layout(vectors) else vectors


def each(vectors: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function of ``(count, c, *spatial)`` to the vectors of a block."""
    count, counted = vectors.shape[:2].numel(), vectors.shape[:2]
    inward = channels_inward(vectors)
    if _has_layout(vectors) and inward.is_contiguous():
        # torch tells the layout by the strides, and axes of length one can have any: here they get those of the layout.
        return function(inward.view(-1).view(count, *inward.shape[2:]).movedim(-1, 1)).unflatten(0, counted)
    return function(vectors.flatten(0, 1)).unflatten(0, counted)


def _has_layout(vectors: Tensor) -> bool:
    return vectors.dim() in (5, 6)
