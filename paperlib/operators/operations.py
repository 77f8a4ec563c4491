"""The operations of a frozen network: each a linear map with its adjoint written out, not taken from autograd.

Vectors are blocks ``(batch, k, *shape)``: k vectors for each image of a batch. An operation that depends on the
input (ReLU, max pooling) keeps what it recorded at each image once for its k vectors. The adjoints are those of
`generalizability`, Table 1, and of the layers that real networks add.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.operators.blocks import Operation, channels_last
from paperlib.operators.convolution import Convolution, ConvolutionOfSeveral
from paperlib.operators.gates import Gate, GatedWindowSum
from paperlib.operators.masks import Mask
from paperlib.operators.selections import MaxSelection
from paperlib.operators.window_sums import WindowSum

__all__ = [
    "Chain", "Concatenation", "Convolution", "ConvolutionOfSeveral", "Dense", "Diagonal", "Gate", "GatedWindowSum",
    "Identity", "Mask", "MaxSelection", "Operation", "Resample", "Reshape", "Sum", "Transposed", "WindowSum",
    "channels_last",
]  # fmt: skip


@dataclass(frozen=True)
class Identity(Operation):
    """Dropout and batch norm without effect, and the place of a constant that is only added."""

    def product(self, vectors: Tensor) -> Tensor:
        return vectors

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (vectors,)


@dataclass(frozen=True)
class Diagonal(Operation):
    """Multiplication by a fixed tensor that broadcasts against ``(*shape)``: batch norm in evaluation mode, scaling."""

    product_is_new = adjoint_is_new = True
    factor: Tensor

    def product(self, vectors: Tensor) -> Tensor:
        return vectors * self.factor

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (vectors * self.factor,)

    def overwriting_product(self, vectors: Tensor) -> Tensor:
        return vectors.mul_(self.factor)

    def overwriting_adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (vectors.mul_(self.factor),)


@dataclass(frozen=True)
class Resample(Operation):
    """One small matrix ``(out, in)`` for each spatial axis: any average pooling, any linear or nearest up-sampling."""

    matrices: tuple[Tensor, ...]

    def product(self, vectors: Tensor) -> Tensor:
        for axis, matrix in enumerate(self.matrices):
            vectors = _along(vectors, 3 + axis, matrix)
        return vectors

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        for axis, matrix in enumerate(self.matrices):
            vectors = _along(vectors, 3 + axis, matrix.T)
        return (vectors,)


@dataclass(frozen=True)
class Transposed(Operation):
    """The adjoint of another operation: transposed convolution, nearest-neighbour up-sampling by whole factors."""

    operation: Operation

    @property
    def product_is_new(self) -> bool:
        return self.operation.adjoint_is_new

    @property
    def adjoint_is_new(self) -> bool:
        return self.operation.product_is_new

    def product(self, vectors: Tensor) -> Tensor:
        return self.operation.adjoint(vectors)[0]

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (self.operation.product(vectors),)

    def with_weights_of(self, other: Operation) -> "Transposed":
        return Transposed(self.operation.with_weights_of(other.operation))


@dataclass(frozen=True)
class Dense(Operation):
    """Multiplication of the last axis by ``weight (out, in)``."""

    product_is_new = adjoint_is_new = True
    weight: Tensor

    def product(self, vectors: Tensor) -> Tensor:
        return vectors @ self.weight.T

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (vectors @ self.weight,)

    def with_weights_of(self, other: Operation) -> "Dense":
        return Dense(other.weight)


@dataclass(frozen=True)
class Reshape(Operation):
    """Row-major reshaping of each vector from ``in_shape`` to ``out_shape``: flatten, view."""

    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]

    def product(self, vectors: Tensor) -> Tensor:
        return vectors.reshape(*vectors.shape[:2], *self.out_shape)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (channels_last(vectors.reshape(*vectors.shape[:2], *self.in_shape)),)


@dataclass(frozen=True)
class Concatenation(Operation):
    """Concatenation of the arguments along ``axis`` of each vector; the adjoint cuts apart."""

    product_is_new = True
    axis: int
    sizes: tuple[int, ...]

    def product(self, *vectors: Tensor) -> Tensor:
        return torch.cat(vectors, dim=2 + self.axis)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return vectors.split(self.sizes, dim=2 + self.axis)


@dataclass(frozen=True)
class Sum(Operation):
    """``signs[0] a + signs[1] b`` of two arguments of one shape; the adjoint hands the vector to both."""

    product_is_new = True
    signs: tuple[int, int] = (1, 1)

    def product(self, first: Tensor, second: Tensor) -> Tensor:
        total = first.neg() if self.signs[0] < 0 else first
        return total + second if self.signs[1] > 0 else total - second

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return tuple(vectors if sign > 0 else -vectors for sign in self.signs)


@dataclass(frozen=True)
class Chain(Operation):
    """Operations one after the other, each of one argument."""

    links: tuple[Operation, ...]

    def product(self, vectors: Tensor) -> Tensor:
        for link in self.links:
            vectors = link.product(vectors)
        return vectors

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        for link in reversed(self.links):
            (vectors,) = link.adjoint(vectors)
        return (vectors,)


def _along(vectors: Tensor, axis: int, matrix: Tensor) -> Tensor:
    return (vectors.movedim(axis, -1) @ matrix.T).movedim(-1, axis)
