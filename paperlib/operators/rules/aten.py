"""The operations of aten, of which programs from ``torch.export`` are made: most are frozen as torch's functions are.

Where the arguments differ a rule here puts them in order. Operations with weights have theirs beside the layers.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from paperlib.operators.operations import Identity

# The rules of their functions are read below.
from paperlib.operators.rules import pointwise, pooling  # noqa: F401
from paperlib.operators.rules.table import FUNCTION_RULES, Frozen, UnsupportedSetting, register_function

_ATEN = torch.ops.aten

# Operations whose arguments are those of the function, in the same order.
_SAME = {
    _ATEN.relu: F.relu,
    _ATEN.relu_: F.relu,
    _ATEN.leaky_relu: F.leaky_relu,
    _ATEN.leaky_relu_: F.leaky_relu,
    _ATEN.dropout: F.dropout,
    _ATEN.feature_dropout: F.dropout,
    _ATEN.alpha_dropout: F.dropout,
    _ATEN.max_pool1d: F.max_pool1d,
    _ATEN.max_pool2d: F.max_pool2d,
    _ATEN.max_pool3d: F.max_pool3d,
    _ATEN.max_pool2d_with_indices: F.max_pool2d,
    _ATEN.max_pool3d_with_indices: F.max_pool3d,
    _ATEN.avg_pool1d: F.avg_pool1d,
    _ATEN.avg_pool2d: F.avg_pool2d,
    _ATEN.avg_pool3d: F.avg_pool3d,
    _ATEN.adaptive_avg_pool1d: F.adaptive_avg_pool1d,
    _ATEN.adaptive_avg_pool2d: F.adaptive_avg_pool2d,
    _ATEN.adaptive_avg_pool3d: F.adaptive_avg_pool3d,
    _ATEN._adaptive_avg_pool2d: F.adaptive_avg_pool2d,
    _ATEN._adaptive_avg_pool3d: F.adaptive_avg_pool3d,
    _ATEN.mean: "mean",
    _ATEN.clone: "clone",
    _ATEN.contiguous: "contiguous",
}
FUNCTION_RULES.update({operation: FUNCTION_RULES[function] for operation, function in _SAME.items()})

_NEAREST = {_ATEN.upsample_nearest1d: 1, _ATEN.upsample_nearest2d: 2, _ATEN.upsample_nearest3d: 3}
_NEAREST_EXACT = (_ATEN._upsample_nearest_exact1d, _ATEN._upsample_nearest_exact2d, _ATEN._upsample_nearest_exact3d)
_LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}


@register_function(*_NEAREST)
def _nearest(x: Tensor, output_size, *scales) -> Frozen:
    return _interpolated(x, output_size, scales, "nearest")


@register_function(*_NEAREST_EXACT)
def _nearest_exact(x: Tensor, output_size, *scales) -> Frozen:
    return _interpolated(x, output_size, scales, "nearest-exact")


@register_function(_ATEN.upsample_linear1d, _ATEN.upsample_bilinear2d, _ATEN.upsample_trilinear3d)
def _linear(x: Tensor, output_size, align_corners: bool, *scales) -> Frozen:
    return _interpolated(x, output_size, scales, _LINEAR[x.dim()], align_corners)


def _interpolated(x: Tensor, size, scales: tuple, mode: str, align_corners: bool | None = None) -> Frozen:
    # One overload gives the scales as a list, and no size with it; the other gives the size, and a scale for each axis.
    if len(scales) == 1 and isinstance(scales[0], tuple | list):
        (scales,) = scales
    factors = None if any(scale is None for scale in scales) or not scales else tuple(scales)
    if size is not None and factors is not None:
        given = [int(side * factor) for side, factor in zip(x.shape[2:], factors, strict=True)]
        if given != list(size):
            raise UnsupportedSetting(f"the size {list(size)} together with the scales {factors}")
        size = None
    return FUNCTION_RULES[F.interpolate](x, size, factors, mode, align_corners)


@register_function(_ATEN.alias)
def _same(input: Tensor) -> Frozen:
    return Frozen(input, Identity())


@register_function("to", _ATEN.to, _ATEN._to_copy)
def _converted(x: Tensor, *target, **settings) -> Frozen:
    wanted = [value for value in (*target, *settings.values()) if isinstance(value, torch.dtype)]
    if any(dtype != x.dtype for dtype in wanted):
        raise UnsupportedSetting(f"conversion from {x.dtype} to {wanted[0]}; the operator works in one dtype")
    return Frozen(x, Identity())
