"""Convolution and its adjoint, and convolution of an up-sampled or of a concatenated input without forming that."""

from dataclasses import dataclass, replace
from itertools import product
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from paperlib.operators.blocks import Operation, each

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}

# With so few channels on its domain side (by spatial axes) a convolution's adjoint is faster as a matrix product, then
# overlap-add, of so many planes at a time: torch's kernels vectorise over the channels that they write.
_FEW_CHANNELS = {1: 4, 2: 4, 3: 3}
_PLANES = 64


@dataclass(frozen=True)
class Convolution(Operation):
    """Cross-correlation with zero padding; ``weight`` is ``(c_out, c_in / groups, *kernel)``.

    ``padding`` is (before, after) per axis. The adjoint correlates the output, zero-stuffed by the stride, with the
    flipped and channel-swapped kernel, padded by ``dilation * (kernel - 1) - padding``: a transposed convolution.
    """

    product_is_new = adjoint_is_new = True
    weight: Tensor
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int
    in_spatial: tuple[int, ...]

    def product(self, vectors: Tensor) -> Tensor:
        return each(vectors, self.correlate)

    def correlate(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """The convolution itself on ``(count, c_in, *spatial)``."""
        padding = tuple(before for before, _ in self.padding)
        if any(before != after for before, after in self.padding):
            x = F.pad(x, [side for pair in reversed(self.padding) for side in pair])
            padding = (0,) * len(self.stride)
        return _convolve(x, self.weight, bias, self.stride, padding, self.dilation, self.groups)

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        if self.groups == 1 and self.weight.shape[1] <= _FEW_CHANNELS[len(self.stride)]:
            return (each(vectors, self._overlap_add),)
        return (each(vectors, self._correlate_adjoint),)

    def with_weights_of(self, other: Operation) -> "Convolution":
        return replace(self, weight=other.weight)

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
        result = self._transposed(z, before, extra)
        for axis, surplus in enumerate(crop):
            if surplus:
                result = result.narrow(2 + axis, 0, result.shape[2 + axis] - surplus)
        return result

    def _transposed(self, z: Tensor, padding: tuple[int, ...], extra: tuple[int, ...]) -> Tensor:
        kernel, axes = self.weight.shape[2:], range(2, self.weight.dim())
        full = tuple(d * (k - 1) - p for d, k, p in zip(self.dilation, kernel, padding, strict=True))
        correlates = self.groups == 1 and max(self.stride) == 1 and min(full) >= 0 and max(extra) == 0
        if correlates and _has_onednn(z) and not _torch_takes_onednn(z, self.weight):
            flipped = self.weight.flip(tuple(axes)).transpose(0, 1)
            return _convolve(z, flipped, None, self.stride, full, self.dilation, 1)
        transpose = _CONV_TRANSPOSE[len(self.stride)]
        return transpose(z, self.weight, None, self.stride, padding, extra, self.groups, self.dilation)

    def _overlap_add(self, z: Tensor) -> Tensor:
        """The adjoint as matrix products, then the sum of the shifted planes, one for each place in the kernel."""
        out, kernel = z.shape[2:], self.weight.shape[2:]
        padded = [side + sum(pair) for side, pair in zip(self.in_spatial, self.padding, strict=True)]
        result = z.new_zeros(self.weight.shape[1], len(z), *padded)
        columns = z.transpose(0, 1).flatten(1)
        # Some slices of the kernel at a time: all planes of a volume would outweigh the rest of a product.
        step = max(1, _PLANES // (self.weight.shape[1] * prod(kernel[1:])))
        for first in range(0, kernel[0], step):
            part = self.weight[:, :, first : first + step]
            planes = (part.flatten(1).T @ columns).view(len(result), -1, len(z), *out)
            for index, place in enumerate(product(*map(range, part.shape[2:]))):
                starts = [at * spread for at, spread in zip((place[0] + first, *place[1:]), self.dilation, strict=True)]
                steps = zip(starts, out, self.stride, strict=True)
                window = [slice(start, start + stride * (side - 1) + 1, stride) for start, side, stride in steps]
                result[:, :, *window] += planes[:, index]
        inner = [slice(pair[0], pair[0] + side) for pair, side in zip(self.padding, self.in_spatial, strict=True)]
        return result[:, :, *inner].transpose(0, 1)


@dataclass(frozen=True)
class ConvolutionOfSeveral(Operation):
    """A convolution of concatenated channels as the sum of one operation for each argument: none is copied."""

    product_is_new = adjoint_is_new = True
    operations: tuple[Operation, ...]

    def product(self, *vectors: Tensor) -> Tensor:
        first, *others = zip(self.operations, vectors, strict=True)
        total = first[0].product(first[1])
        for operation, argument in others:
            total += operation.product(argument)
        return total

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return tuple(operation.adjoint(vectors)[0] for operation in self.operations)

    def with_weights_of(self, other: Operation) -> "ConvolutionOfSeveral":
        pairs = zip(self.operations, other.operations, strict=True)
        return ConvolutionOfSeveral(tuple(own.with_weights_of(its) for own, its in pairs))


def after_upsampling(convolution: Convolution, factors: tuple[int, ...], scale: float) -> Convolution | None:
    """The convolution whose adjoint is ``convolution`` of ``scale`` times a nearest-neighbour up-sampled input.

    The up-sampled input has few different values: the entries of a 3 x 3 x 3 kernel that meet the same one of eight
    equal voxels are added up beforehand, which leaves 8 of 27 multiplications. Up-sampling by f is a transposed
    convolution with ones, kernel and stride f; so the two together are one with stride f and the kernel convolved with
    ones, of side ``kernel + f - 1``. None where stride, dilation or groups do not allow it.
    """
    kernel = convolution.weight.shape[2:]
    plain = max(convolution.stride) == max(convolution.dilation) == convolution.groups == 1
    same = tuple((side // 2, side // 2) for side in kernel)
    if not plain or convolution.padding != same or any(side % 2 == 0 for side in kernel):
        return None
    weight = convolution.weight.transpose(0, 1).flip(tuple(range(2, 2 + len(kernel))))
    padded = F.pad(weight, [side for factor in reversed(factors) for side in (factor - 1, factor - 1)])
    ones = weight.new_ones(1, 1, *factors) * scale
    summed = _CONV[len(kernel)](padded.flatten(0, 1).unsqueeze(1), ones).squeeze(1).unflatten(0, weight.shape[:2])
    return Convolution(summed, factors, same, convolution.dilation, 1, convolution.in_spatial)


def _convolve(x: Tensor, weight: Tensor, bias, stride, padding, dilation, groups: int) -> Tensor:
    if _has_onednn(x) and groups == 1:
        return torch.mkldnn_convolution(x, weight, bias, padding, stride, dilation, groups)
    return _CONV[len(stride)](x, weight, bias, stride, padding, dilation, groups)


def _has_onednn(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.dim() in (4, 5)
        and x.numel() > 0
        and torch.backends.mkldnn.is_available()
    )


def _torch_takes_onednn(x: Tensor, weight: Tensor) -> bool:
    """Whether torch's own convolution of ``x`` runs in oneDNN, by the rule in its source (``ConvParams::use_mkldnn``).

    Kernels of side one, and single images of few channels and rows, go through another one, which takes up to five
    times as long for volumes.
    """
    return max(weight.shape[2:]) > 1 and (len(x) > 1 or prod(x.shape[:4]) > 20480)
