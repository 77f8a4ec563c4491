"""Inverses of activations, each defined on an open range of outputs (`vectorspaces`, Section 2.4, eq. 6)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

# Below this share of the distance scale, the moved entry would round onto the bound in float64.
SMALLEST_CLIP = 1e-12


class InverseError(Exception):
    """Base of the errors of `paperlib.inverse`."""


class NotInvertibleError(InverseError, TypeError):
    """A module has no inverse here; the message names its path and type, and what is supported."""


class OutOfRangeError(InverseError, ValueError):
    """An activation cannot have given these outputs; the message counts them and says what to do."""


class ActivationRange(NamedTuple):
    """Open interval of the outputs of an activation."""

    low: float
    high: float


def _selu(module: nn.SELU, y: Tensor) -> Tensor:
    scale = 1.0507009873554805
    # The bound is scale times alpha; clamping keeps the branch that is not taken away from log of a negative number.
    bound = -limits(module).low
    return torch.where(y > 0, y / scale, torch.log1p(y.clamp_max(0) / bound))


def _leaky_relu(module: nn.LeakyReLU, y: Tensor) -> Tensor:
    return torch.where(y < 0, y / module.negative_slope, y)


def _softplus(module: nn.Softplus, y: Tensor) -> Tensor:
    scaled = module.beta * y
    # Above its threshold torch's softplus is the identity, a little below where the logarithm ended: outputs in
    # between have two pre-images, of which this is the lower one.
    top = torch.nn.functional.softplus(scaled.new_tensor(float(module.threshold)), threshold=module.threshold + 1)
    return torch.where(scaled > top, y, y + torch.log(-torch.expm1(-scaled)) / module.beta)


_RULES: dict[type[nn.Module], Callable[[nn.Module, Tensor], Tensor]] = {
    nn.Identity: lambda module, y: y,
    nn.LeakyReLU: _leaky_relu,
    nn.SELU: _selu,
    nn.Sigmoid: lambda module, y: torch.log(y) - torch.log1p(-y),
    nn.Softplus: _softplus,
    nn.Tanh: lambda module, y: torch.atanh(y),
}

SUPPORTED_ACTIVATIONS = tuple(kind.__name__ for kind in _RULES)


def is_invertible(module: nn.Module) -> bool:
    """Whether `invert_activation` knows the module: its very type, and for leaky ReLU a slope above 0."""
    # Exact types: a subclass may compute something else.
    if type(module) is nn.LeakyReLU:
        return module.negative_slope > 0
    return type(module) in _RULES


def activation_range(module: nn.Module) -> ActivationRange:
    """Open range of the outputs of a supported activation, for instance (-1.7580993408473766, inf) for SELU.

    Raises ``NotInvertibleError`` for an activation that is not supported.
    """
    _check_supported(module, "")
    return limits(module)


def limits(*modules: nn.Module) -> ActivationRange:
    """Outputs of increasing activations, one after the other, in the limits of -inf and inf."""
    ends = torch.tensor([-torch.inf, torch.inf], dtype=torch.float64)
    for module in modules:
        ends = module(ends)
    return ActivationRange(*ends.tolist())


def interior(*modules: nn.Module, margin: float) -> ActivationRange:
    """Closed interval inside the range of activations one after the other.

    Each finite bound moves towards the output at 0 by ``margin`` times its distance from there, in (0, 1): the
    distance scale is 1.758 for SELU, 1 for tanh, 1/2 for sigmoid and ``log(2) / beta`` for softplus.
    """
    low, high = limits(*modules)
    centre = torch.zeros(1, dtype=torch.float64)
    for module in modules:
        centre = module(centre)
    centre = centre.item()
    # An infinite bound has no scale, and stays.
    inside = (bound if abs(bound) == torch.inf else bound + margin * (centre - bound) for bound in (low, high))
    return ActivationRange(*inside)


def outside_range(module: nn.Module, y: Tensor) -> Tensor:
    """Mask, of the shape of ``y``, of entries that are NaN or not inside the open range.

    The bound is compared as rounded to the dtype of ``y``, so that an output that has saturated onto it is outside.
    """
    low, high = limits(module)
    return ~((y > low) & (y < high))


def moved_inside(module: nn.Module, y: Tensor, clip: float) -> Tensor:
    """``y`` in float64, where only entries outside the open range have moved ``clip`` inside; see `interior`."""
    return torch.where(outside_range(module, y), y.double().clamp(*interior(module, margin=clip)), y.double())


def invert_activation(module: nn.Module, y: Tensor, clip: float | None = None, *, path: str = "") -> Tensor:
    """Pre-activation ``z`` with ``f(z) = y``, for ``y`` of any shape; computed in float64, in the dtype of ``y``.

    With ``clip``, a share of the distance scale of `interior` in [1e-12, 1), entries beyond a finite bound (or nearer
    to it than that) move to that distance inside. ``path`` is where the activation stands in a model, for messages.

    Raises ``NotInvertibleError`` for an activation that is not supported, ``OutOfRangeError`` for NaN, for infinite
    entries on an unbounded side, and without ``clip`` for all entries outside the open range.
    """
    return invert_in_float64(module, y, clip, path).to(y.dtype)


def invert_in_float64(module: nn.Module, y: Tensor, clip: float | None, path: str) -> Tensor:
    """`invert_activation` without rounding to the dtype of ``y``, which still decides where the bound is."""
    _check_supported(module, path)
    if clip is not None and not SMALLEST_CLIP <= clip < 1:
        raise ValueError(f"clip is {clip}; expected a share of the distance scale in [{SMALLEST_CLIP:g}, 1)")
    wide = y.double()
    if clip is None:
        outside = outside_range(module, y)
    else:
        low, high = interior(module, margin=clip)
        outside = ~(torch.isfinite(y) | ((y < 0) & (low > -torch.inf)) | ((y > 0) & (high < torch.inf)))
        wide = wide.clamp(low, high)
    if outside.any():
        raise OutOfRangeError(_range_message(module, y, outside, path, clip))
    return _RULES[type(module)](module, wide)


def _check_supported(module: nn.Module, path: str) -> None:
    if is_invertible(module):
        return
    known = ", ".join(SUPPORTED_ACTIVATIONS)
    place = f" at {path!r}" if path else ""
    slope = f" with slope {module.negative_slope}" if type(module) is nn.LeakyReLU else ""
    raise NotInvertibleError(
        f"{type(module).__name__}{slope}{place} has no inverse here; supported are {known} (leaky ReLU with a slope "
        "above 0)"
    )


def _range_message(module: nn.Module, y: Tensor, outside: Tensor, path: str, clip: float | None) -> str:
    low, high = limits(module)
    nan = int(torch.isnan(y).sum())
    numbers = y[~torch.isnan(y)]
    extent = f"smallest {numbers.min():.8g}, largest {numbers.max():.8g}" if len(numbers) else "no number among them"
    mend = (
        'pass clip=1e-6 to move them inside, or invert the network by method="constrained"'
        if clip is None and nan == 0
        else "clipping cannot mend NaN or infinite entries"
    )
    return (
        f"{type(module).__name__}{f' at {path!r}' if path else ''}: {int(outside.sum())} of {y.numel()} entries are "
        f"outside its open range ({low:.8g}, {high:.8g}), or on its bound in {y.dtype}: {extent}"
        f"{f', {nan} NaN' if nan else ''}; {mend}"
    )
