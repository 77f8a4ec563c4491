"""Pooling and up-sampling: sums, averages and maxima over windows, nearest and linear interpolation."""

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.layers import SumPool
from paperlib.operators.operations import Chain, MaxSelection, Resample, Reshape, Transposed, WindowSum
from paperlib.operators.rules.table import (
    Frozen,
    UnsupportedSetting,
    per_axis,
    register_function,
    register_module,
)
from paperlib.operators.selections import Windows


@register_module(SumPool)
def _sum_pool(module: SumPool, x: Tensor) -> Frozen:
    return Frozen(module(x), WindowSum((module.kernel_size,) * (x.dim() - 2)))


@register_module(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
def _max_pool_module(module: nn.Module, x: Tensor) -> Frozen:
    settings = module.kernel_size, module.stride, module.padding, module.dilation
    return _max_pool(x, *settings, module.ceil_mode, module.return_indices)


@register_function(F.max_pool1d, F.max_pool2d, F.max_pool3d, torch.max_pool1d, torch.max_pool2d, torch.max_pool3d)
def _max_pool(
    x: Tensor, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
) -> Frozen:
    if return_indices:
        raise UnsupportedSetting("return_indices=True")
    pool = {3: F.max_pool1d, 4: F.max_pool2d, 5: F.max_pool3d}[x.dim()]
    output, positions = pool(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)
    settings = kernel_size, stride or kernel_size, padding, dilation
    windows = Windows(*(per_axis(value, x.dim() - 2) for value in settings))
    return Frozen(output, MaxSelection.of(positions, tuple(x.shape[2:]), windows))


@register_module(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
def _average_pool_module(module: nn.Module, x: Tensor) -> Frozen:
    settings = module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad
    return _average_pool(x, *settings, getattr(module, "divisor_override", None))


@register_function(F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)
def _average_pool(
    x: Tensor,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
) -> Frozen:
    axes = x.dim() - 2
    sides, steps, pads = (per_axis(value, axes) for value in (kernel_size, stride or kernel_size, padding))
    scale = 1.0
    if divisor_override:
        # Sums are averages times the window's size; the divisor is one number, the window's size a product over axes.
        count_include_pad, scale = True, prod(sides) / divisor_override
        if ceil_mode:
            raise UnsupportedSetting("divisor_override together with ceil_mode")
    matrices = [
        F.avg_pool1d(_unit_vectors(side, x), window, step, pad, ceil_mode, count_include_pad)[0].T
        for side, window, step, pad in zip(x.shape[2:], sides, steps, pads, strict=True)
    ]
    matrices[0] = matrices[0] * scale
    return _resampled(x, matrices)


@register_module(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
def _adaptive_average_pool_module(module: nn.Module, x: Tensor) -> Frozen:
    return _adaptive_average_pool(x, module.output_size)


@register_function(F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
def _adaptive_average_pool(x: Tensor, output_size) -> Frozen:
    wanted = per_axis(output_size, x.dim() - 2)
    sides = [given if given is not None else side for given, side in zip(wanted, x.shape[2:], strict=True)]
    return _resampled(
        x,
        [F.adaptive_avg_pool1d(_unit_vectors(side, x), out)[0].T for side, out in zip(x.shape[2:], sides, strict=True)],
    )


@register_module(nn.Upsample, nn.UpsamplingNearest2d)
def _upsample_module(module: nn.Upsample, x: Tensor) -> Frozen:
    return _interpolate(
        x, module.size, module.scale_factor, module.mode, module.align_corners, module.recompute_scale_factor
    )


@register_function(F.interpolate)
def _interpolate(
    x: Tensor,
    size=None,
    scale_factor=None,
    mode: str = "nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias: bool = False,
) -> Frozen:
    one_axis = {
        "nearest": "nearest",
        "nearest-exact": "nearest-exact",
        "linear": "linear",
        "bilinear": "linear",
    }
    one_axis["trilinear"] = "linear"
    if mode not in one_axis or antialias:
        raise UnsupportedSetting(f"mode {mode!r}, antialias {antialias}; supported: {', '.join(one_axis)}")
    output = F.interpolate(x, size, scale_factor, mode, align_corners, recompute_scale_factor)
    axes = x.dim() - 2
    factors = [after / before for before, after in zip(x.shape[2:], output.shape[2:], strict=True)]
    # The scale given by the user, not the ratio of the sizes, sets torch's sampling points.
    scales = per_axis(scale_factor, axes) if scale_factor and not recompute_scale_factor else [None] * axes
    whole = all(
        factor == int(factor) and scale in (None, factor) for factor, scale in zip(factors, scales, strict=True)
    )
    if mode == "nearest" and whole:
        return Frozen(output, Transposed(WindowSum(tuple(int(factor) for factor in factors))))
    if mode == "nearest" and any(f == 2 and scale not in (None, 2) for f, scale in zip(factors, scales, strict=True)):
        # Some of torch's kernels then sample by the scale and some by 2, forward and backward differently.
        raise UnsupportedSetting(f"scale_factor {scale_factor} that gives twice the size; give size or a factor of 2")
    matrices = [
        F.interpolate(_unit_vectors(before, x), None if scale else after, scale, one_axis[mode], align_corners)[0].T
        for before, after, scale in zip(x.shape[2:], output.shape[2:], scales, strict=True)
    ]
    return Frozen(output, Resample(tuple(matrices)))


@register_function("mean", torch.mean)
def _mean(x: Tensor, dim, keepdim: bool = False) -> Frozen:
    axes = sorted(axis % x.dim() for axis in ([dim] if isinstance(dim, int) else dim))
    if axes != list(range(2, x.dim())):
        raise UnsupportedSetting(f"mean over axes {axes}; supported is the mean over all spatial axes")
    ones = [x.new_full((1, side), 1 / side) for side in x.shape[2:]]
    output = x.mean(axes, keepdim=keepdim)
    pooled = Resample(tuple(ones))
    if keepdim:
        return Frozen(output, pooled)
    kept = (x.shape[1], *(1 for _ in ones))
    return Frozen(output, Chain((pooled, Reshape(kept, tuple(output.shape[1:])))))


def _resampled(x: Tensor, matrices: list[Tensor]) -> Frozen:
    operation = Resample(tuple(matrices))
    return Frozen(operation.product(x.unsqueeze(1)).squeeze(1), operation)


def _unit_vectors(count: int, like: Tensor) -> Tensor:
    """``(1, count, count)``: channels that are the unit vectors of an axis, to read a resampling's matrix off torch."""
    return torch.eye(count, dtype=like.dtype, device=like.device).unsqueeze(0)
