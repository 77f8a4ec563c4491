"""Layers that act on each value by itself: ReLU, leaky ReLU, dropout in evaluation mode, identity."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.operators.operations import Gate, Identity, Mask
from paperlib.operators.rules.table import Frozen, UnsupportedSetting, register_function, register_module


@register_module(nn.ReLU)
def _relu_module(module: nn.ReLU, x: Tensor) -> Frozen:
    return _leaky_relu(x, 0.0)


@register_module(nn.LeakyReLU)
def _leaky_relu_module(module: nn.LeakyReLU, x: Tensor) -> Frozen:
    return _leaky_relu(x, module.negative_slope)


@register_function(F.relu, torch.relu, F.relu_, torch.relu_, "relu", "relu_")
def _relu(x: Tensor, inplace: bool = False) -> Frozen:
    return _leaky_relu(x, 0.0)


@register_function(F.leaky_relu)
def _leaky_relu(x: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Frozen:
    return Frozen(
        F.leaky_relu(x, negative_slope) if negative_slope else F.relu(x), Gate(Mask.of(x > 0), negative_slope)
    )


@register_module(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
def _dropout_module(module: nn.Module, x: Tensor) -> Frozen:
    if module.training and module.p > 0:
        raise UnsupportedSetting("training mode, where it is random; call model.eval()")
    return Frozen(x, Identity())


@register_function(F.dropout, F.dropout2d, F.dropout3d)
def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Frozen:
    if training and p > 0:
        raise UnsupportedSetting("training=True, where it is random; pass training=self.training and call model.eval()")
    return Frozen(x, Identity())


@register_module(nn.Identity)
def _identity_module(module: nn.Identity, x: Tensor) -> Frozen:
    return Frozen(x, Identity())


@register_function("contiguous", "clone", torch.clone)
def _identity(x: Tensor, **_settings) -> Frozen:
    return Frozen(x, Identity())
