"""The operator matrix of a convolution: the whole map of an input of given size, sparse, dense or as an operator."""

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from paperlib.operators import LinearOperator

Boundary = Literal["valid", "zero", "circular"]

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


class UnfoldingError(ValueError):
    """A layer, an input size or a boundary for which a convolution has no such matrix; the message says why."""


@dataclass(frozen=True)
class Window:
    """Which entries of an input of ``input_size`` a convolution reads, axis by axis.

    ``before`` and ``after`` count the entries added at the ends of each axis, zeros or (``circular``) those of the
    other end; ``output_size`` is the number of positions.
    """

    input_size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    circular: bool

    def __post_init__(self) -> None:
        short = [size < 1 for size in self.output_size]
        if min(self.input_size) < 1 or any(short):
            raise UnfoldingError(
                f"a kernel {self.kernel} with dilation {self.dilation} does not fit into an input of size "
                f"{self.input_size} padded by {self.before} and {self.after}; give a larger input_size"
            )

    @property
    def output_size(self) -> tuple[int, ...]:
        sizes = zip(self.input_size, self.before, self.after, self.dilation, self.kernel, self.stride, strict=True)
        return tuple((m + b + a - d * (k - 1) - 1) // s + 1 for m, b, a, d, k, s in sizes)

    def entries(self) -> Tensor:
        """Flat index of the entry read at each position by each place of the kernel, ``(positions, k)``; or -1."""
        flat = torch.zeros((), dtype=torch.int64)
        outside = torch.zeros((), dtype=torch.bool)
        axes = len(self.input_size)
        for axis, (size, count) in enumerate(zip(self.input_size, self.output_size, strict=True)):
            start = torch.arange(count) * self.stride[axis] - self.before[axis]
            place = start.unsqueeze(1) + torch.arange(self.kernel[axis]) * self.dilation[axis]
            shape = [1] * (2 * axes)
            shape[axis], shape[axes + axis] = place.shape
            place = place.reshape(shape)
            if self.circular:
                place = place.remainder(size)
            outside = outside | (place < 0) | (place >= size)
            flat = flat * size + place
        return flat.masked_fill(outside, -1).reshape(prod(self.output_size), prod(self.kernel))


class ConvolutionOperator(LinearOperator):
    """A convolution without its bias as an operator from ``(c_in, *input_size)`` to ``(c_out, *output_size)``."""

    def __init__(self, weight: Tensor, window: Window, groups: int) -> None:
        domain = (weight.shape[1] * groups, *window.input_size)
        super().__init__(domain, (len(weight), *window.output_size), weight.dtype, weight.device)
        self.weight, self.window, self.groups = weight, window, groups
        self._settings = {"stride": window.stride, "dilation": window.dilation, "groups": groups}
        self._convolve = _CONV[len(window.input_size)]
        self._transposed = _TRANSPOSED[len(window.input_size)]

    def _matmat(self, vectors: Tensor) -> Tensor:
        with torch.no_grad():
            return self._convolve(self._padded(vectors), self.weight, **self._settings)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        window = self.window
        with torch.no_grad():
            found = self._transposed(vectors, self.weight, **self._settings)
            # A stride may leave entries at the end of an axis that no position reads.
            sides = zip(window.input_size, window.before, window.after, found.shape[2:], strict=True)
            missing = [m + before + after - side for m, before, after, side in sides]
            return self._unpadded(F.pad(found, [width for count in reversed(missing) for width in (0, count)]))

    def _padded(self, x: Tensor) -> Tensor:
        if self.window.circular:
            for axis, places in enumerate(self._places(), start=2):
                x = x.index_select(axis, places)
            return x
        sides = zip(reversed(self.window.before), reversed(self.window.after), strict=True)
        return F.pad(x, [width for side in sides for width in side])

    def _unpadded(self, padded: Tensor) -> Tensor:
        for axis, (places, size) in enumerate(zip(self._places(), self.window.input_size, strict=True), start=2):
            if self.window.circular:
                shape = [*padded.shape[:axis], size, *padded.shape[axis + 1 :]]
                padded = padded.new_zeros(shape).index_add_(axis, places, padded)
            else:
                padded = padded.narrow(axis, self.window.before[axis - 2], size)
        return padded

    def _places(self) -> list[Tensor]:
        """For each axis the entry of the input at each entry of the padded one, of a circular boundary."""
        sides = zip(self.window.input_size, self.window.before, self.window.after, strict=True)
        return [torch.arange(-before, m + after, device=self.device).remainder(m) for m, before, after in sides]


def sparse_operator_matrix(weight: Tensor, window: Window, groups: int) -> Tensor:
    """The operator matrix ``(c_out positions, c_in entries)``, a coalesced sparse COO tensor (`convsvd`, eq. 10).

    Both sides are flattened row-major, channels first. Formed entry by entry, without a convolution.
    """
    entries = window.entries().to(weight.device)
    positions, inputs = len(entries), prod(window.input_size)
    position, place = (entries >= 0).nonzero(as_tuple=True)
    entry = entries[position, place]
    c_out, c_group = weight.shape[:2]
    kernels = weight.detach().flatten(2)
    rows, columns, values = [], [], []
    for out, channel in product(range(c_out), range(c_group)):
        rows.append(out * positions + position)
        columns.append((out // (c_out // groups) * c_group + channel) * inputs + entry)
        values.append(kernels[out, channel, place])
    indices = torch.stack([torch.cat(rows), torch.cat(columns)])
    shape = (c_out * positions, groups * c_group * inputs)
    return torch.sparse_coo_tensor(indices, torch.cat(values), shape, check_invariants=False).coalesce()


def check_boundary(boundary: str) -> None:
    """Raise ``UnfoldingError`` for a boundary that does not exist."""
    if boundary not in get_args(Boundary):
        raise UnfoldingError(f"boundary is {boundary!r}; expected one of {', '.join(get_args(Boundary))}")
