"""The two tables of what can be frozen, and what a rule returns."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from paperlib.operators.operations import Operation


@dataclass(frozen=True)
class Frozen:
    """A layer at a batch of inputs: ``output`` ``(batch, *out)``, its linear part, and its constant part.

    ``output = operation.product(inputs) + offset``; ``offset`` broadcasts against ``(*out)``, or is None for zero.
    """

    output: Tensor
    operation: Operation
    offset: Tensor | None = None


class UnsupportedSetting(Exception):
    """A supported layer with a setting that makes it non-linear or that has no adjoint here."""


MODULE_RULES: dict[type[nn.Module], Callable[..., Frozen]] = {}
FUNCTION_RULES: dict[Callable | str, Callable[..., Frozen]] = {}
# Arithmetic of one value of the network with a constant: ``rule(x, constant, swapped=...)``, where ``swapped`` says
# that the constant stands first.
CONSTANT_RULES: dict[Callable | str, Callable[..., Frozen]] = {}


def register_module(*types: type[nn.Module]):
    """Decorator: use a function ``rule(module, *inputs) -> Frozen`` for these layers (not for their subclasses)."""

    def register(rule):
        MODULE_RULES.update(dict.fromkeys(types, rule))
        return rule

    return register


def register_function(*functions: Callable | str):
    """Decorator: use a rule for these functions, or for methods of a tensor given by name."""

    def register(rule):
        FUNCTION_RULES.update(dict.fromkeys(functions, rule))
        return rule

    return register


def supported_layers() -> list[str]:
    """Names of the supported layers, sorted."""
    return sorted(kind.__name__ for kind in MODULE_RULES)


def per_axis(value, axes: int) -> tuple:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * axes


def per_channel(value: Tensor | None, x: Tensor) -> Tensor | None:
    return None if value is None else value.reshape(-1, *(1 for _ in x.shape[2:]))
