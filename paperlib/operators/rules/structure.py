"""How values are joined and laid out: flatten, view, concatenation, sums, and arithmetic with constants."""

import operator

import torch
from torch import Tensor, nn

from paperlib.operators.operations import Concatenation, Diagonal, Identity, Reshape, Sum
from paperlib.operators.rules.table import (
    CONSTANT_RULES,
    Frozen,
    UnsupportedSetting,
    register_function,
    register_module,
)

_ATEN = torch.ops.aten


@register_module(nn.Flatten)
def _flatten_module(module: nn.Flatten, x: Tensor) -> Frozen:
    return _reshaped(x, module(x))


@register_module(nn.Unflatten)
def _unflatten_module(module: nn.Unflatten, x: Tensor) -> Frozen:
    return _reshaped(x, module(x))


@register_function(torch.flatten, "flatten", _ATEN.flatten)
def _flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Frozen:
    return _reshaped(x, torch.flatten(x, start_dim, end_dim))


@register_function(torch.reshape, "reshape", "view", _ATEN.reshape, _ATEN.view, _ATEN._unsafe_view)
def _reshape(x: Tensor, *shape) -> Frozen:
    return _reshaped(x, x.reshape(*shape))


@register_function("unflatten", _ATEN.unflatten)
def _unflatten(input: Tensor, dim: int, sizes) -> Frozen:
    return _reshaped(input, input.unflatten(dim, sizes))


@register_function(torch.squeeze, "squeeze", _ATEN.squeeze)
def _squeeze(input: Tensor, dim=None) -> Frozen:
    # torch drops the batch axis of a single image too, where it is given no axis.
    return _reshaped(input, input.squeeze() if dim is None else input.squeeze(dim))


@register_function(torch.unsqueeze, "unsqueeze", _ATEN.unsqueeze)
def _unsqueeze(input: Tensor, dim: int) -> Frozen:
    return _reshaped(input, input.unsqueeze(dim))


@register_function(operator.neg, torch.neg, "neg", _ATEN.neg)
def _negative(input: Tensor) -> Frozen:
    return Frozen(-input, Diagonal(input.new_tensor(-1.0)))


@register_function(torch.cat, torch.concat, _ATEN.cat)
def _concatenate(tensors, dim: int = 0, axis: int | None = None) -> Frozen:
    dim = (dim if axis is None else axis) % tensors[0].dim()
    if dim == 0:
        raise UnsupportedSetting("concatenation along the batch axis")
    sizes = tuple(tensor.shape[dim] for tensor in tensors)
    return Frozen(torch.cat(list(tensors), dim), Concatenation(dim - 1, sizes))


@register_function(operator.add, torch.add, "add", "add_", _ATEN.add, _ATEN.add_)
def _add(first, second) -> Frozen:
    return _sum(first, second, (1, 1))


@register_function(operator.sub, torch.sub, "sub", "sub_", _ATEN.sub, _ATEN.sub_)
def _subtract(first, second) -> Frozen:
    return _sum(first, second, (1, -1))


def _sum(first: Tensor, second: Tensor, signs: tuple[int, int]) -> Frozen:
    if first.shape != second.shape:
        raise UnsupportedSetting(f"sum of shapes {tuple(first.shape)} and {tuple(second.shape)}; they must be equal")
    return Frozen(signs[0] * first + signs[1] * second, Sum(signs))


def _reshaped(x: Tensor, output: Tensor) -> Frozen:
    if output.shape[0] != x.shape[0]:
        shapes = f"{tuple(x.shape)} to {tuple(output.shape)}"
        raise UnsupportedSetting(f"reshaping {shapes} mixes the images of the batch; freeze them one by one")
    return Frozen(output, Reshape(tuple(x.shape[1:]), tuple(output.shape[1:])))


def _plus(x: Tensor, constant, *, swapped: bool) -> Frozen:
    return Frozen(_same_shape(x, x + constant), Identity(), _per_image(x, constant))


def _minus(x: Tensor, constant, *, swapped: bool) -> Frozen:
    if swapped:
        return Frozen(_same_shape(x, constant - x), Diagonal(x.new_tensor(-1.0)), _per_image(x, constant))
    return Frozen(_same_shape(x, x - constant), Identity(), -_per_image(x, constant))


def _times(x: Tensor, constant, *, swapped: bool) -> Frozen:
    return Frozen(_same_shape(x, x * constant), Diagonal(_per_image(x, constant)))


def _divided(x: Tensor, constant, *, swapped: bool) -> Frozen:
    if swapped:
        raise UnsupportedSetting("division by a value that depends on the input")
    return Frozen(_same_shape(x, x / constant), Diagonal(1 / _per_image(x, constant)))


def _minus_reversed(x: Tensor, constant, *, swapped: bool) -> Frozen:
    return _minus(x, constant, swapped=not swapped)


CONSTANT_RULES.update(dict.fromkeys((operator.add, torch.add, "add", "add_", _ATEN.add, _ATEN.add_), _plus))
CONSTANT_RULES.update(dict.fromkeys((operator.sub, torch.sub, "sub", "sub_", _ATEN.sub, _ATEN.sub_), _minus))
CONSTANT_RULES.update(dict.fromkeys((torch.rsub, _ATEN.rsub), _minus_reversed))
CONSTANT_RULES.update(dict.fromkeys((operator.mul, torch.mul, "mul", "mul_", _ATEN.mul, _ATEN.mul_), _times))
CONSTANT_RULES.update(dict.fromkeys((operator.truediv, torch.div, "div", "div_", _ATEN.div, _ATEN.div_), _divided))


def _per_image(x: Tensor, constant) -> Tensor:
    """A constant that broadcasts against ``(batch, *shape)`` as one that broadcasts against ``(*shape)``."""
    value = torch.as_tensor(constant, dtype=x.dtype, device=x.device)
    if value.dim() < x.dim():
        return value
    if value.shape[0] != 1:
        raise UnsupportedSetting(f"a constant of shape {tuple(value.shape)} differs from image to image of the batch")
    return value[0]


def _same_shape(x: Tensor, output: Tensor) -> Tensor:
    if output.shape != x.shape:
        raise UnsupportedSetting(
            f"arithmetic with a constant changes the shape {tuple(x.shape)} to {tuple(output.shape)}"
        )
    return output
