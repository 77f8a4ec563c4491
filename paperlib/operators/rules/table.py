"""The two tables of what can be frozen, and what a rule returns."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch._ops import OpOverload, OpOverloadPacket

from paperlib.operators.operations import Operation


@dataclass(frozen=True)
class Frozen:
    """A layer at a batch of inputs: ``output`` ``(batch, *out)``, its linear part, and its constant part.

    ``output = operation.product(inputs) + offset``; ``offset`` broadcasts against ``(*out)``, or is None for zero.
    With ``offset_per_image`` it broadcasts against ``(batch, 1, *out)`` instead. ``statistics`` says that the rule kept
    statistics of the input (a mean, a deviation) as constants, so that the operation is not the layer's derivative.
    """

    output: Tensor
    operation: Operation
    offset: Tensor | None = None
    offset_per_image: bool = False
    statistics: bool = False


class UnsupportedSetting(Exception):
    """A supported layer with a setting that makes it non-linear or that has no adjoint here."""


Function = Callable | OpOverloadPacket | str

MODULE_RULES: dict[type[nn.Module], Callable[..., Frozen]] = {}
FUNCTION_RULES: dict[Function, Callable[..., Frozen]] = {}
# Functions that take weights: the place, among their arguments, of the one value of the network.
WEIGHTED: dict[Function, int] = {}
# Arithmetic of one value of the network with a constant: ``rule(x, constant, swapped=...)``, where ``swapped`` says
# that the constant stands first.
CONSTANT_RULES: dict[Function, Callable[..., Frozen]] = {}


def register_module(*types: type[nn.Module]):
    """Decorator: use a function ``rule(module, *inputs) -> Frozen`` for these layers (not for their subclasses)."""

    def register(rule):
        MODULE_RULES.update(dict.fromkeys(types, rule))
        return rule

    return register


def register_function(*functions: Function, weighted: int | None = None):
    """Decorator: use a rule for these functions, for methods of a tensor given by name, or operations of aten.

    A rule with ``weighted`` may be given constant tensors (weights, statistics) as its other arguments; the argument
    at that place is the value of the network. The other rules are never called with a constant tensor.
    """

    def register(rule):
        FUNCTION_RULES.update(dict.fromkeys(functions, rule))
        if weighted is not None:
            WEIGHTED.update(dict.fromkeys(functions, weighted))
        return rule

    return register


def known(target) -> Function:
    """What a node of a graph calls, as the tables name it: an operation of aten without its overload."""
    return target.overloadpacket if isinstance(target, OpOverload) else target


def supported_layers() -> list[str]:
    """Names of the supported layers, sorted."""
    return sorted(kind.__name__ for kind in MODULE_RULES)


def per_axis(value, axes: int) -> tuple:
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    return values * axes if len(values) == 1 else values


def per_channel(value: Tensor | None, x: Tensor) -> Tensor | None:
    return None if value is None else value.reshape(-1, *(1 for _ in x.shape[2:]))
