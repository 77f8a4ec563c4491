"""More piecewise linear layers: PReLU, a choice by sign, and what holds values between bounds (ReLU6, clamp)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.operators.operations import Gate, Mask
from paperlib.operators.rules.table import (
    Frozen,
    UnsupportedSetting,
    per_channel,
    register_function,
    register_module,
)
from paperlib.operators.scalings import ChannelGate, Choice

_ATEN = torch.ops.aten


@register_module(nn.PReLU)
def _prelu_module(module: nn.PReLU, x: Tensor) -> Frozen:
    return _prelu(x, module.weight)


@register_function(F.prelu, torch.prelu, "prelu", _ATEN.prelu, weighted=0)
def _prelu(input: Tensor, weight: Tensor) -> Frozen:
    operation = ChannelGate(Gate(Mask.of(input > 0)), per_channel(weight, input))
    return Frozen(F.prelu(input, weight), operation)


@register_module(nn.ReLU6, nn.Hardtanh)
def _hardtanh_module(module: nn.Hardtanh, x: Tensor) -> Frozen:
    return _hardtanh(x, module.min_val, module.max_val)


@register_function(F.hardtanh, _ATEN.hardtanh, _ATEN.hardtanh_)
def _hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Frozen:
    return _saturated(input.clamp(min_val, max_val), (input > min_val) & (input < max_val))


@register_function(F.relu6)
def _relu6(input: Tensor, inplace: bool = False) -> Frozen:
    return _hardtanh(input, 0.0, 6.0)


@register_function(
    torch.clamp, "clamp", "clamp_", _ATEN.clamp, _ATEN.clamp_, _ATEN.clamp_min, _ATEN.clamp_min_,
)  # fmt: skip
def _clamp(input: Tensor, min: float | None = None, max: float | None = None) -> Frozen:
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        raise UnsupportedSetting("a bound that is a tensor; supported are numbers")
    # Unlike ReLU6, torch's derivative of clamp is 1 at the bounds themselves.
    output = input.clamp(min, max)
    return _saturated(output, output == input)


@register_module(nn.Threshold)
def _threshold_module(module: nn.Threshold, x: Tensor) -> Frozen:
    return _threshold(x, module.threshold, module.value)


@register_function(F.threshold, torch.threshold, _ATEN.threshold, _ATEN.threshold_)
def _threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Frozen:
    return _saturated(F.threshold(input, threshold, value), input > threshold)


@register_function(torch.where, _ATEN.where)
def choose(condition: Tensor, input: Tensor, other: Tensor) -> Frozen:
    if not isinstance(other, Tensor) or not condition.shape == input.shape == other.shape:
        raise UnsupportedSetting("a choice between other than two values of the condition's shape")
    return Frozen(torch.where(condition, input, other), Choice(Gate(Mask.of(condition))))


def _saturated(output: Tensor, inside: Tensor) -> Frozen:
    """Slope one ``inside``; elsewhere the output is a constant of the image."""
    offset = output.masked_fill(inside, 0)
    return Frozen(output, Gate(Mask.of(inside)), offset.unsqueeze(1), offset_per_image=True)
