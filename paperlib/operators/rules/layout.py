"""Where values stand: permuted axes, padding and cropping, slices and pieces, repetition, pixel shuffle."""

import operator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.operators.operations import Chain, Operation, Reshape
from paperlib.operators.rearrangements import Permutation, Picking, ZeroPadding
from paperlib.operators.rules.table import Frozen, UnsupportedSetting, register_function, register_module

_ATEN = torch.ops.aten
_PADS = (
    nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d, nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d, nn.ReflectionPad1d,
    nn.ReflectionPad2d, nn.ReflectionPad3d, nn.ReplicationPad1d, nn.ReplicationPad2d, nn.ReplicationPad3d,
    nn.CircularPad1d, nn.CircularPad2d, nn.CircularPad3d,
)  # fmt: skip
_PAD_MODES = {"Zero": "constant", "Constant": "constant", "Reflection": "reflect", "Replication": "replicate"}


@register_module(*_PADS)
def _pad_module(module: nn.Module, x: Tensor) -> Frozen:
    mode = _PAD_MODES.get(type(module).__name__[:-5], "circular")
    return pad(x, module.padding, mode, getattr(module, "value", None))


@register_function(F.pad, _ATEN.pad)
def pad(input: Tensor, pad, mode: str = "constant", value: float | None = None) -> Frozen:
    sides = tuple(zip(pad[0::2], pad[1::2], strict=True))[::-1]
    if len(sides) == input.dim() and sides[0] == (0, 0):
        sides = sides[1:]
    first = input.dim() - len(sides)
    if first < 1:
        raise UnsupportedSetting("padding of the batch axis")
    if mode != "constant":
        places = {
            axis: _padded_places(input.shape[axis], pair, mode, input.device)
            for axis, pair in enumerate(sides, first)
            if pair != (0, 0)
        }
        return _picked(input, places)
    operation = ZeroPadding(((0, 0),) * (first - 1) + sides)
    output = F.pad(input, pad, value=value)
    if not value:
        return Frozen(output, operation)
    image = [side for pair in reversed(sides) for side in pair]
    return Frozen(output, operation, F.pad(torch.zeros_like(input[0]), image, value=value))


@register_function(_ATEN.constant_pad_nd)
def _constant_pad(x: Tensor, sides, value: float = 0.0) -> Frozen:
    return pad(x, sides, "constant", value)


@register_function(torch.permute, "permute", _ATEN.permute)
def _permute(input: Tensor, *dims) -> Frozen:
    order = dims[0] if isinstance(dims[0], tuple | list) else dims
    order = [axis % input.dim() for axis in order]
    if order[0] != 0:
        raise UnsupportedSetting("moving the batch axis")
    return Frozen(input.permute(order), Permutation(tuple(axis - 1 for axis in order[1:])))


@register_function(torch.transpose, "transpose", _ATEN.transpose)
def _transpose(input: Tensor, dim0: int, dim1: int) -> Frozen:
    order = list(range(input.dim()))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return _permute(input, order)


@register_function(operator.getitem)
def _getitem(x: Tensor, index) -> Frozen:
    index = list(index) if isinstance(index, tuple) else [index]
    if not all(item is None or item is Ellipsis or isinstance(item, int | slice) for item in index):
        raise UnsupportedSetting(f"the index {index}; supported are whole numbers, slices, None and '...'")
    given = sum(isinstance(item, int | slice) for item in index)
    at = index.index(Ellipsis) if Ellipsis in index else len(index)
    index[at : at + 1] = [slice(None)] * (x.dim() - given)
    output = x[tuple(index)]
    if index[0] != slice(None) or output.dim() == 0:
        raise UnsupportedSetting(f"the index {index} along the batch axis")
    cuts = [item if isinstance(item, slice) else slice(item, item % side + 1)
            for item, side in zip((item for item in index if item is not None), x.shape, strict=True)]  # fmt: skip
    cut = _cut(x, cuts)
    if cut.output.shape == output.shape:
        return cut
    reshape = Reshape(tuple(cut.output.shape[1:]), tuple(output.shape[1:]))
    return Frozen(output, Chain((cut.operation, reshape)))


@register_function(torch.narrow, "narrow", _ATEN.narrow)
def _narrow(input: Tensor, dim: int, start: int, length: int) -> Frozen:
    return _slice(input, dim, start, start + length)


@register_function(_ATEN.slice)
def _slice(x: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Frozen:
    if dim % x.dim() == 0:
        return _cut(x, [slice(start, end, step)])
    return _getitem(x, (slice(None),) * (dim % x.dim()) + (slice(start, end, step),))


@register_function(torch.select, "select", _ATEN.select)
def _select(input: Tensor, dim: int, index: int) -> Frozen:
    return _getitem(input, (slice(None),) * (dim % input.dim()) + (index,))


def piece(index: int, function, *args, **kwargs):
    """One element of what a function that gives several tensors gives; stands for both in a cleaned graph."""
    result = getattr(args[0], function)(*args[1:], **kwargs) if isinstance(function, str) else function(*args, **kwargs)
    return result[index]


@register_function(piece)
def _piece(index: int, function, x: Tensor, *args, **kwargs) -> Frozen:
    dim = kwargs.get("dim", args[1] if len(args) > 1 else 0) % x.dim()
    if dim == 0:
        raise UnsupportedSetting("cutting along the batch axis")
    index %= len(piece(slice(None), function, x, *args, **kwargs))
    sizes = [part.shape[dim] for part in piece(slice(index + 1), function, x, *args, **kwargs)]
    start = sum(sizes[:-1])
    return _slice(x, dim, start, start + sizes[-1])


@register_function("repeat", _ATEN.repeat)
def _repeat(x: Tensor, *counts) -> Frozen:
    counts = counts[0] if isinstance(counts[0], tuple | list) else counts
    if len(counts) != x.dim() or counts[0] != 1:
        raise UnsupportedSetting(f"repetition by {tuple(counts)} of a value with axes {tuple(x.shape)}")
    places = {
        axis: torch.arange(side, device=x.device).repeat(count)
        for axis, (side, count) in enumerate(zip(x.shape, counts, strict=True))
        if count != 1
    }
    return _picked(x, places)


@register_function("expand", _ATEN.expand)
def _expand(x: Tensor, *sizes) -> Frozen:
    sizes = sizes[0] if isinstance(sizes[0], tuple | list) else sizes
    if len(sizes) != x.dim() or sizes[0] not in (-1, len(x)):
        raise UnsupportedSetting(f"expansion of {tuple(x.shape)} to {tuple(sizes)}")
    output = x.expand(*sizes)
    grown = [axis for axis in range(1, x.dim()) if output.shape[axis] != x.shape[axis]]
    return _picked(x, {axis: torch.zeros(output.shape[axis], dtype=torch.long, device=x.device) for axis in grown})


@register_function(torch.flip, "flip", _ATEN.flip)
def _flip(input: Tensor, *dims) -> Frozen:
    dims = dims[0] if isinstance(dims[0], tuple | list) else dims
    axes = [axis % input.dim() for axis in dims]
    if 0 in axes:
        raise UnsupportedSetting("flipping the batch axis")
    return _picked(input, {axis: torch.arange(input.shape[axis] - 1, -1, -1, device=input.device) for axis in axes})


@register_function(_ATEN.index, _ATEN._unsafe_index, weighted=0)
def _index(x: Tensor, indices) -> Frozen:
    """Indices that each run along an axis of their own: nearest and linear up-sampling of a decomposed program."""
    axes = [axis for axis, places in enumerate(indices) if places is not None]
    if axes != list(range(axes[0], axes[0] + len(axes))) or axes[0] == 0:
        raise UnsupportedSetting("indices of the batch axis, or of axes that are not neighbours")
    for number, axis in enumerate(axes):
        places = indices[axis]
        shape = (1,) * (len(axes) - places.dim()) + tuple(places.shape)
        if places.dtype == torch.bool or shape[:number] + shape[number + 1 :] != (1,) * (len(axes) - 1):
            raise UnsupportedSetting("indices that do not each run along an axis of their own")
    return _picked(x, {axis: indices[axis].flatten().to(x.device) % x.shape[axis] for axis in axes})


@register_module(nn.PixelShuffle)
def _pixel_shuffle_module(module: nn.PixelShuffle, x: Tensor) -> Frozen:
    return _pixel_shuffle(x, module.upscale_factor)


@register_function(F.pixel_shuffle, _ATEN.pixel_shuffle)
def _pixel_shuffle(input: Tensor, upscale_factor: int) -> Frozen:
    output = F.pixel_shuffle(input, upscale_factor)
    return Frozen(output, _shuffle(tuple(output.shape[1:]), upscale_factor, gather=False))


@register_module(nn.PixelUnshuffle)
def _pixel_unshuffle_module(module: nn.PixelUnshuffle, x: Tensor) -> Frozen:
    return _pixel_unshuffle(x, module.downscale_factor)


@register_function(F.pixel_unshuffle, _ATEN.pixel_unshuffle)
def _pixel_unshuffle(input: Tensor, downscale_factor: int) -> Frozen:
    output = F.pixel_unshuffle(input, downscale_factor)
    return Frozen(output, _shuffle(tuple(input.shape[1:]), downscale_factor, gather=True))


def _shuffle(fine: tuple[int, ...], factor: int, *, gather: bool) -> Operation:
    """From images ``fine`` (c, h, w) to factor^2 times the channels and back."""
    channels, height, width = fine
    split = (channels, height // factor, factor, width // factor, factor)
    coarse = (channels * factor**2, height // factor, width // factor)
    order = (0, 2, 4, 1, 3)
    moved = tuple(split[axis] for axis in order)
    if gather:
        return Chain((Reshape(fine, split), Permutation(order), Reshape(moved, coarse)))
    back = tuple(order.index(axis) for axis in range(5))
    return Chain((Reshape(coarse, moved), Permutation(back), Reshape(split, fine)))


def _cut(x: Tensor, cuts: list[slice]) -> Frozen:
    """Slices along the axes, the batch axis first."""
    ranges = [range(side)[cut] for side, cut in zip(x.shape, cuts, strict=False)]
    if len(ranges[0]) != len(x) or ranges[0].step != 1:
        raise UnsupportedSetting("a slice of the batch axis")
    if all(steps.step == 1 for steps in ranges):
        sides = [(-steps.start, len(steps) + steps.start - side)
                 for steps, side in zip(ranges, x.shape, strict=False)]  # fmt: skip
        sides += [(0, 0)] * (x.dim() - len(sides))
        return Frozen(x[tuple(cuts)], ZeroPadding(tuple(sides[1:])))
    return _picked(x, {axis: torch.tensor(steps, dtype=torch.long, device=x.device)
                       for axis, steps in enumerate(ranges) if len(steps) != x.shape[axis]})  # fmt: skip


def _padded_places(side: int, pair: tuple[int, int], mode: str, device: torch.device) -> Tensor:
    """The place that torch reads for each position of a padded axis; exact in float64 for any side that fits memory."""
    places = torch.arange(side, dtype=torch.float64, device=device).reshape(1, 1, -1)
    return F.pad(places, pair, mode).flatten().long()


def _picked(x: Tensor, places: dict[int, Tensor]) -> Frozen:
    axes = tuple(places)
    operation = Picking(tuple(axis - 1 for axis in axes), tuple(places.values()), tuple(x.shape[a] for a in axes))
    return Frozen(operation.product(x.unsqueeze(1)).squeeze(1), operation)
