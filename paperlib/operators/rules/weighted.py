"""Layers with weights, and the functions that take theirs as arguments: convolution, linear, batch norm."""

import operator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.operators.operations import Chain, Convolution, Dense, Diagonal, Transposed
from paperlib.operators.rules.layout import pad
from paperlib.operators.rules.table import (
    Frozen,
    UnsupportedSetting,
    per_axis,
    per_channel,
    register_function,
    register_module,
)

_CONV_TRANSPOSE = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}
_ATEN = torch.ops.aten


@register_module(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def _convolution_module(module: nn.Module, x: Tensor) -> Frozen:
    if module.padding_mode == "zeros":
        settings = module.stride, module.padding, module.dilation, module.groups
        return _convolution(x, module.weight, module.bias, *settings)
    sides = _paddings(module.padding, module.kernel_size, module.dilation)
    padded = pad(x, [side for pair in reversed(sides) for side in pair], module.padding_mode)
    plain = _convolution(padded.output, module.weight, module.bias, module.stride, 0, module.dilation, module.groups)
    return Frozen(plain.output, Chain((padded.operation, plain.operation)), plain.offset)


@register_function(
    F.conv1d, F.conv2d, F.conv3d, torch.conv1d, torch.conv2d, torch.conv3d, _ATEN.conv1d, _ATEN.conv2d, _ATEN.conv3d,
    weighted=0,
)  # fmt: skip
def _convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride=1, padding=0, dilation=1, groups: int = 1
) -> Frozen:
    kernel = weight.shape[2:]
    stride, dilation = per_axis(stride, len(kernel)), per_axis(dilation, len(kernel))
    paddings = _paddings(padding, kernel, dilation)
    operation = Convolution(_fast_weight(weight), stride, paddings, dilation, groups, tuple(input.shape[2:]))
    return Frozen(operation.correlate(input, bias), operation, per_channel(bias, input))


@register_module(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
def _transposed_convolution_module(module: nn.Module, x: Tensor) -> Frozen:
    settings = module.stride, module.padding, module.output_padding, module.groups, module.dilation
    return _transposed_convolution(x, module.weight, module.bias, *settings)


@register_function(
    F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d, torch.conv_transpose1d, torch.conv_transpose2d,
    torch.conv_transpose3d, _ATEN.conv_transpose1d, _ATEN.conv_transpose2d, _ATEN.conv_transpose3d, weighted=0,
)  # fmt: skip
def _transposed_convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride=1,
    padding=0,
    output_padding=0,
    groups: int = 1,
    dilation=1,
) -> Frozen:
    settings = (per_axis(value, weight.dim() - 2) for value in (stride, padding, output_padding, dilation))
    stride, padding, output_padding, dilation = settings
    if any(extra >= step for extra, step in zip(output_padding, stride, strict=True)):
        # The convolution that it is the adjoint of would then have more outputs than this layer has inputs.
        raise UnsupportedSetting(f"output_padding {output_padding} not below the stride {stride}")
    transpose = _CONV_TRANSPOSE[weight.dim()]
    output = transpose(input, weight, bias, stride, padding, output_padding, groups, dilation)
    paddings = tuple((side, side) for side in padding)
    operation = Convolution(_fast_weight(weight), stride, paddings, dilation, groups, tuple(output.shape[2:]))
    return Frozen(output, Transposed(operation), per_channel(bias, input))


@register_function(_ATEN.convolution, weighted=0)
def _either_convolution(
    x: Tensor, weight: Tensor, bias, stride, padding, dilation, transposed: bool, output_padding, groups: int
) -> Frozen:
    if transposed:
        return _transposed_convolution(x, weight, bias, stride, padding, output_padding, groups, dilation)
    return _convolution(x, weight, bias, stride, padding, dilation, groups)


@register_module(nn.Linear)
def _linear_module(module: nn.Linear, x: Tensor) -> Frozen:
    return _linear(x, module.weight, module.bias)


@register_function(F.linear, _ATEN.linear, weighted=0)
def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Frozen:
    return Frozen(F.linear(input, weight, bias), Dense(weight), bias)


@register_function(torch.matmul, "matmul", operator.matmul, _ATEN.matmul, _ATEN.mm, weighted=0)
def _matrix_product(x: Tensor, matrix: Tensor) -> Frozen:
    if matrix.dim() != 2:
        raise UnsupportedSetting(f"a product with a tensor of {matrix.dim()} axes; supported is a matrix")
    return Frozen(x @ matrix, Dense(matrix.T))


@register_function(torch.addmm, _ATEN.addmm, weighted=1)
def _constant_plus_matrix_product(constant: Tensor, x: Tensor, matrix: Tensor) -> Frozen:
    if constant.dim() > 1:
        raise UnsupportedSetting(f"a constant of shape {tuple(constant.shape)}; supported is one for all images")
    return Frozen(constant + x @ matrix, Dense(matrix.T), constant)


@register_module(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
def _batch_norm_module(module: nn.modules.batchnorm._BatchNorm, x: Tensor) -> Frozen:
    training = module.training or module.running_var is None
    return batch_norm(x, module.running_mean, module.running_var, module.weight, module.bias, training, eps=module.eps)


@register_function(F.batch_norm, weighted=0)
def batch_norm(
    input: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Frozen:
    if training:
        raise UnsupportedSetting(
            "statistics of the batch, which depend on the input; call model.eval() and use running ones"
        )
    output = F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    scale = (running_var + eps).rsqrt()
    if weight is not None:
        scale = scale * weight
    offset = -running_mean * scale
    if bias is not None:
        offset = offset + bias
    return Frozen(output, Diagonal(per_channel(scale, input)), per_channel(offset, input))


@register_function(torch.batch_norm, _ATEN.batch_norm, weighted=0)
def _aten_batch_norm(
    x: Tensor, weight, bias, running_mean, running_var, training: bool, momentum: float, eps: float, _cudnn: bool
) -> Frozen:
    return batch_norm(x, running_mean, running_var, weight, bias, training, eps=eps)


@register_function(_ATEN._native_batch_norm_legit_no_training, weighted=0)
def _decomposed_batch_norm(x: Tensor, weight, bias, running_mean, running_var, momentum: float, eps: float) -> Frozen:
    return batch_norm(x, running_mean, running_var, weight, bias, eps=eps)


def _paddings(padding, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    if padding == "same":
        totals = [step * (side - 1) for step, side in zip(dilation, kernel, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((side, side) for side in per_axis(0 if padding == "valid" else padding, len(kernel)))


def _fast_weight(weight: Tensor) -> Tensor:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return weight.contiguous(memory_format=formats.get(weight.dim(), torch.contiguous_format))
