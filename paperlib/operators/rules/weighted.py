"""Layers with weights: convolution, transposed convolution, linear, batch norm in evaluation mode."""

import torch
from torch import Tensor, nn

from paperlib.operators.operations import Convolution, Dense, Diagonal, Transposed
from paperlib.operators.rules.table import Frozen, UnsupportedSetting, per_channel, register_module


@register_module(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def _convolution(module: nn.Module, x: Tensor) -> Frozen:
    if module.padding_mode != "zeros":
        raise UnsupportedSetting(f"padding_mode {module.padding_mode!r}; only 'zeros' is supported")
    operation = Convolution(
        _fast_weight(module.weight),
        module.stride,
        _paddings(module),
        module.dilation,
        module.groups,
        tuple(x.shape[2:]),
    )
    return Frozen(operation.correlate(x, module.bias), operation, per_channel(module.bias, x))


@register_module(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
def _transposed_convolution(module: nn.Module, x: Tensor) -> Frozen:
    if any(extra >= step for extra, step in zip(module.output_padding, module.stride, strict=True)):
        # The convolution that it is the adjoint of would then have more outputs than this layer has inputs.
        raise UnsupportedSetting(f"output_padding {module.output_padding} not below the stride {module.stride}")
    output = module(x)
    paddings = tuple((side, side) for side in module.padding)
    operation = Convolution(
        _fast_weight(module.weight),
        module.stride,
        paddings,
        module.dilation,
        module.groups,
        tuple(output.shape[2:]),
    )
    return Frozen(output, Transposed(operation), per_channel(module.bias, x))


@register_module(nn.Linear)
def _linear(module: nn.Linear, x: Tensor) -> Frozen:
    return Frozen(module(x), Dense(module.weight), module.bias)


@register_module(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
def _batch_norm(module: nn.modules.batchnorm._BatchNorm, x: Tensor) -> Frozen:
    if module.training or module.running_var is None:
        raise UnsupportedSetting(
            "statistics of the batch, which depend on the input; call model.eval() and use running ones"
        )
    scale = (module.running_var + module.eps).rsqrt()
    if module.weight is not None:
        scale = scale * module.weight
    offset = -module.running_mean * scale
    if module.bias is not None:
        offset = offset + module.bias
    return Frozen(module(x), Diagonal(per_channel(scale, x)), per_channel(offset, x))


def _paddings(module: nn.Module) -> tuple[tuple[int, int], ...]:
    if module.padding == "valid":
        return tuple((0, 0) for _ in module.kernel_size)
    if module.padding == "same":
        totals = [step * (side - 1) for step, side in zip(module.dilation, module.kernel_size, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((side, side) for side in module.padding)


def _fast_weight(weight: Tensor) -> Tensor:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return weight.contiguous(memory_format=formats.get(weight.dim(), torch.contiguous_format))
