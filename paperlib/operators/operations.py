"""The operations of a frozen network: each a linear map with its adjoint written out, not taken from autograd.

Vectors are blocks ``(batch, k, *shape)``: k vectors for each image of a batch. An operation that depends on the
input (ReLU, max pooling) keeps what it recorded at the images with axes ``(batch, 1, *shape)``, so that the k vectors
of an image share it. The adjoints are those of `generalizability`, Table 1, and of the layers that real networks add.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import product
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}

# With so few channels on its domain side a convolution's adjoint is faster as a matrix product followed by
# overlap-add (measured in benchmarks/): torch's kernels vectorise over the channels that they write.
_FEW_CHANNELS = 4


class Operation(ABC):
    """A linear map on blocks, with one or more arguments."""

    @abstractmethod
    def product(self, *vectors: Tensor) -> Tensor:
        """Blocks ``(batch, k, *in)``, one for each argument, to ``(batch, k, *out)``."""

    @abstractmethod
    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """``(batch, k, *out)`` to one block ``(batch, k, *in)`` for each argument."""

    def at(self, index: slice) -> "Operation":
        """The same operation for some images of the batch."""
        return self


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

    factor: Tensor

    def product(self, vectors: Tensor) -> Tensor:
        return vectors * self.factor

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (vectors * self.factor,)


@dataclass(frozen=True)
class Gate(Operation):
    """Frozen ReLU or leaky ReLU: multiplication by the slopes ``(batch, 1, *shape)`` recorded at the images.

    Symmetric; for ReLU also idempotent. At exactly 0 the gate is closed, as torch's derivative has it.
    """

    slopes: Tensor

    def product(self, vectors: Tensor) -> Tensor:
        return vectors * self.slopes

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (vectors * self.slopes,)

    def at(self, index: slice) -> "Gate":
        return Gate(self.slopes[index])


@dataclass(frozen=True)
class WindowSum(Operation):
    """``scale`` times the sum over non-overlapping windows; the adjoint is nearest-neighbour up-sampling."""

    window: tuple[int, ...]
    scale: float = 1.0

    def product(self, vectors: Tensor) -> Tensor:
        pool = _AVERAGE_POOL[len(self.window)]
        return _each(vectors, lambda flat: pool(flat, self.window) * (self.scale * prod(self.window)))

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (_merge(_spread(vectors * self.scale if self.scale != 1 else vectors, self.window), self.window),)


@dataclass(frozen=True)
class GatedWindowSum(Operation):
    """A gate, then a window sum, in one pass over memory; ``windows`` ``(batch, 1, c, h/p, p, ...)`` are slopes."""

    windows: Tensor
    pool: WindowSum

    @classmethod
    def fuse(cls, gate: Gate, pool: WindowSum) -> "GatedWindowSum":
        split = gate.slopes * pool.scale if pool.scale != 1 else gate.slopes
        for axis in reversed(range(len(pool.window))):
            split = split.unflatten(3 + axis, (-1, pool.window[axis]))
        return cls(split, pool)

    def product(self, vectors: Tensor) -> Tensor:
        split = vectors
        for axis in reversed(range(len(self.pool.window))):
            split = split.unflatten(3 + axis, (-1, self.pool.window[axis]))
        return (split * self.windows).sum(dim=[4 + 2 * axis for axis in range(len(self.pool.window))])

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (
            _merge(
                _spread(channels_last(vectors), self.pool.window, expand=False) * self.windows,
                self.pool.window,
            ),
        )

    def at(self, index: slice) -> "GatedWindowSum":
        return GatedWindowSum(self.windows[index], self.pool)


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
class MaxSelection(Operation):
    """Frozen max pooling: picks the recorded positions ``(batch, 1, c, out)``; the adjoint stuffs zeros around them."""

    positions: Tensor
    in_spatial: tuple[int, ...]
    out_spatial: tuple[int, ...]

    def product(self, vectors: Tensor) -> Tensor:
        flat = vectors.flatten(3)
        picked = flat.gather(3, self.positions.expand(-1, flat.shape[1], -1, -1))
        return picked.unflatten(3, self.out_spatial)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        flat = vectors.flatten(3)
        stuffed = flat.new_zeros(*flat.shape[:3], prod(self.in_spatial))
        stuffed.scatter_add_(3, self.positions.expand(-1, flat.shape[1], -1, -1), flat)
        return (stuffed.unflatten(3, self.in_spatial),)

    def at(self, index: slice) -> "MaxSelection":
        return MaxSelection(self.positions[index], self.in_spatial, self.out_spatial)


@dataclass(frozen=True)
class Convolution(Operation):
    """Cross-correlation with zero padding; ``weight`` is ``(c_out, c_in / groups, *kernel)``.

    ``padding`` is (before, after) per axis. The adjoint correlates the output, zero-stuffed by the stride, with the
    flipped and channel-swapped kernel, padded by ``dilation * (kernel - 1) - padding``: a transposed convolution.
    """

    weight: Tensor
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int
    in_spatial: tuple[int, ...]

    def product(self, vectors: Tensor) -> Tensor:
        return _each(vectors, self.correlate)

    def correlate(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """The convolution itself on ``(count, c_in, *spatial)``."""
        padding = tuple(before for before, _ in self.padding)
        if any(before != after for before, after in self.padding):
            x = F.pad(x, [side for pair in reversed(self.padding) for side in pair])
            padding = (0,) * len(self.stride)
        return _CONV[len(self.stride)](x, self.weight, bias, self.stride, padding, self.dilation, self.groups)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        if self.groups == 1 and self.weight.shape[1] <= _FEW_CHANNELS:
            return (_each(vectors, self._overlap_add),)
        return (_each(vectors, self._correlate_adjoint),)

    def _correlate_adjoint(self, z: Tensor) -> Tensor:
        before = tuple(pair[0] for pair in self.padding)
        # A stride can leave the last input positions unread; output_padding gives them back, as zeros.
        extra = tuple(
            full - ((out - 1) * step + spread * (side - 1) + 1 - 2 * pad)
            for full, out, step, spread, side, pad in zip(
                self.in_spatial,
                z.shape[2:],
                self.stride,
                self.dilation,
                self.weight.shape[2:],
                before,
                strict=True,
            )
        )
        crop = tuple(max(0, -missing) for missing in extra)
        extra = tuple(max(0, missing) for missing in extra)
        transpose = _CONV_TRANSPOSE[len(self.stride)]
        result = transpose(z, self.weight, None, self.stride, before, extra, self.groups, self.dilation)
        for axis, surplus in enumerate(crop):
            if surplus:
                result = result.narrow(2 + axis, 0, result.shape[2 + axis] - surplus)
        return result

    def _overlap_add(self, z: Tensor) -> Tensor:
        """The adjoint as one matrix product, then the sum of the shifted planes, one for each place in the kernel."""
        out, kernel = z.shape[2:], self.weight.shape[2:]
        planes = self.weight.flatten(1).T @ z.transpose(0, 1).flatten(1)
        planes = planes.view(-1, prod(kernel), len(z), *out)
        padded = [side + sum(pair) for side, pair in zip(self.in_spatial, self.padding, strict=True)]
        result = z.new_zeros(len(planes), len(z), *padded)
        for index, place in enumerate(product(*map(range, kernel))):
            starts = [at * spread for at, spread in zip(place, self.dilation, strict=True)]
            steps = zip(starts, out, self.stride, strict=True)
            window = [slice(start, start + step * (side - 1) + 1, step) for start, side, step in steps]
            result[:, :, *window] += planes[:, index]
        inner = [slice(pair[0], pair[0] + side) for pair, side in zip(self.padding, self.in_spatial, strict=True)]
        return result[:, :, *inner].transpose(0, 1)


@dataclass(frozen=True)
class Transposed(Operation):
    """The adjoint of another operation: transposed convolution, nearest-neighbour up-sampling by whole factors."""

    operation: Operation

    def product(self, vectors: Tensor) -> Tensor:
        return self.operation.adjoint(vectors)[0]

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (self.operation.product(vectors),)


@dataclass(frozen=True)
class Dense(Operation):
    """Multiplication of the last axis by ``weight (out, in)``."""

    weight: Tensor

    def product(self, vectors: Tensor) -> Tensor:
        return vectors @ self.weight.T

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (vectors @ self.weight,)


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

    axis: int
    sizes: tuple[int, ...]

    def product(self, *vectors: Tensor) -> Tensor:
        return torch.cat(vectors, dim=2 + self.axis)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return vectors.split(self.sizes, dim=2 + self.axis)


@dataclass(frozen=True)
class Sum(Operation):
    """``signs[0] a + signs[1] b`` of two arguments of one shape; the adjoint hands the vector to both."""

    signs: tuple[int, int] = (1, 1)

    def product(self, first: Tensor, second: Tensor) -> Tensor:
        return self.signs[0] * first + self.signs[1] * second

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return tuple(sign * vectors for sign in self.signs)


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


def channels_last(vectors: Tensor) -> Tensor:
    """The same block with the channels innermost in memory, where it has spatial axes; torch's convolutions and the
    broadcasting over pooling windows are fastest so."""
    if vectors.dim() not in (5, 6):
        return vectors
    order = [0, 1, *range(3, vectors.dim()), 2]
    back = [0, 1, vectors.dim() - 1, *range(2, vectors.dim() - 1)]
    return vectors.permute(order).contiguous().permute(back)


def _each(vectors: Tensor, function) -> Tensor:
    """Apply a function of ``(count, c, *spatial)`` to the vectors of a block."""
    return function(vectors.flatten(0, 1)).unflatten(0, vectors.shape[:2])


def _along(vectors: Tensor, axis: int, matrix: Tensor) -> Tensor:
    return (vectors.movedim(axis, -1) @ matrix.T).movedim(-1, axis)


def _spread(vectors: Tensor, window: tuple[int, ...], expand: bool = True) -> Tensor:
    """Insert an axis of the window's side (or of 1, to be broadcast) behind each spatial axis."""
    for axis in reversed(range(len(window))):
        vectors = vectors.unsqueeze(4 + axis)
    if not expand:
        return vectors
    shape = [*vectors.shape[:3]]
    for axis, side in enumerate(window):
        shape += [vectors.shape[3 + 2 * axis], side]
    return vectors.expand(shape)


def _merge(vectors: Tensor, window: tuple[int, ...]) -> Tensor:
    """Join each spatial axis with the window axis behind it."""
    for axis in range(len(window)):
        vectors = vectors.flatten(3 + axis, 4 + axis)
    return vectors
