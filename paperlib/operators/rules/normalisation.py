"""Normalisation by statistics of the input: not piecewise linear, unless the statistics are kept as constants.

With the mean m and the deviation s recorded at the images, ``y = (x - m) / s`` is read as a factor and an offset of
each image. The result is the network with frozen statistics and not the derivative: with y the normalised vector of n
values, the derivative is ``(I - 1 1^T / n - y y^T / n) / s``, and only ``I / s`` is kept.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.operators.rules.table import Frozen, UnsupportedSetting, per_channel, register_function, register_module
from paperlib.operators.rules.weighted import batch_norm
from paperlib.operators.scalings import ImageScaling

_ATEN = torch.ops.aten


@register_module(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
def _instance_norm_module(module: nn.modules.instancenorm._InstanceNorm, x: Tensor) -> Frozen:
    from_input = module.training or not module.track_running_stats
    running = module.running_mean, module.running_var
    return _instance_norm(x, *running, module.weight, module.bias, from_input, eps=module.eps)


@register_function(F.instance_norm, weighted=0)
def _instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Frozen:
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    if input.dim() < 3:
        raise UnsupportedSetting(f"an input of shape {tuple(input.shape)}; expected (batch, channels, *spatial)")
    if input[0, 0].numel() == 1:
        raise ValueError(f"instance norm has one value for each channel of {tuple(input.shape)}, and no deviation")
    mean, deviation = _statistics(input.flatten(2), eps)
    return _normalised(input, mean, deviation, per_channel(weight, input), per_channel(bias, input))


@register_function(torch.instance_norm, _ATEN.instance_norm, weighted=0)
def _aten_instance_norm(
    x: Tensor, weight, bias, running_mean, running_var, use_input_stats: bool, momentum: float, eps: float, _cudnn: bool
) -> Frozen:
    return _instance_norm(x, running_mean, running_var, weight, bias, use_input_stats, eps=eps)


@register_function(_ATEN._native_batch_norm_legit, weighted=0)
def _batch_norm_of_one_image(x: Tensor, weight, bias, training: bool, momentum: float, eps: float) -> Frozen:
    # How a decomposed program writes instance norm: a batch norm of a single image, whose channels are image x channel.
    if len(x) != 1:
        raise UnsupportedSetting("statistics of the batch, which mix its images")
    return _instance_norm(x, None, None, weight, bias, eps=eps)


@register_module(nn.GroupNorm)
def _group_norm_module(module: nn.GroupNorm, x: Tensor) -> Frozen:
    return _group_norm(x, module.num_groups, module.weight, module.bias, module.eps)


@register_function(F.group_norm, torch.group_norm, _ATEN.group_norm, weighted=0)
def _group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    _cudnn: bool = True,
) -> Frozen:
    if input.shape[1] % num_groups:
        raise ValueError(f"{input.shape[1]} channels do not fall into {num_groups} groups")
    members = input.shape[1] // num_groups
    grouped = input.unflatten(1, (num_groups, members)).flatten(2)
    mean, deviation = (value.repeat_interleave(members, 1) for value in _statistics(grouped, eps))
    return _normalised(input, mean, deviation, per_channel(weight, input), per_channel(bias, input))


@register_function(_ATEN.native_group_norm, weighted=0)
def _aten_group_norm(x: Tensor, weight, bias, count: int, channels: int, pixels: int, groups: int, eps) -> Frozen:
    return _group_norm(x, groups, weight, bias, eps)


@register_module(nn.LayerNorm)
def _layer_norm_module(module: nn.LayerNorm, x: Tensor) -> Frozen:
    return _layer_norm(x, module.normalized_shape, module.weight, module.bias, module.eps)


@register_function(F.layer_norm, torch.layer_norm, _ATEN.layer_norm, _ATEN.native_layer_norm, weighted=0)
def _layer_norm(
    input: Tensor, normalized_shape, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5, _=True
) -> Frozen:
    axes = len(normalized_shape)
    if tuple(input.shape[-axes:]) != tuple(normalized_shape) or axes >= input.dim():
        raise ValueError(f"the last axes of {tuple(input.shape)} are not {tuple(normalized_shape)}")
    mean, deviation = _statistics(input.flatten(-axes), eps)
    return _normalised(input, mean, deviation, weight, bias)


def _statistics(grouped: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Mean and deviation over the last axis."""
    return grouped.mean(-1), (grouped.var(-1, correction=0) + eps).sqrt()


def _normalised(x: Tensor, mean: Tensor, deviation: Tensor, weight: Tensor | None, bias: Tensor | None) -> Frozen:
    """``mean`` and ``deviation`` have the first axes of x; ``weight`` and ``bias`` broadcast against ``(*shape)``."""
    mean, deviation = (value.reshape(*value.shape, *(1,) * (x.dim() - value.dim())) for value in (mean, deviation))
    factor = (1 if weight is None else weight) / deviation
    offset = (0 if bias is None else bias) - mean * factor
    output = (x - mean) * factor + (0 if bias is None else bias)
    scaling = ImageScaling(factor.unsqueeze(1))
    return Frozen(output, scaling, offset.unsqueeze(1), offset_per_image=True, statistics=True)
