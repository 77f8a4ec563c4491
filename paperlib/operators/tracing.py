"""The order in which a model applies its layers, found by torch.fx, and the check that it is the right one."""

import torch
from torch import fx, nn

from paperlib.operators.errors import NotFiniteError, UnsupportedLayerError
from paperlib.operators.exporting import cleaned, is_exported
from paperlib.operators.frozen import FrozenNetwork
from paperlib.operators.rules import MODULE_RULES


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        return type(module) in MODULE_RULES or super().is_leaf_module(module, qualified_name)


class NotTraceableError(UnsupportedLayerError):
    """torch.fx cannot follow the model's forward function."""


class DifferenceError(UnsupportedLayerError):
    """The graph gives other outputs than the model."""


def trace(model: nn.Module) -> fx.Graph:
    """The graph of a model, or of a program that ``torch.export`` made; raises ``NotTraceableError``."""
    if type(model) in MODULE_RULES:
        model = nn.Sequential(model)
    try:
        graph = cleaned(model.graph if is_exported(model) else _Tracer().trace(model))
    except Exception as error:
        # The model's own code ran with stand-ins for its values, and can fail in any way.
        raise NotTraceableError(
            f"{type(model).__name__} cannot be frozen: its forward function depends on the values of its input or "
            f"does something that torch.fx cannot follow ({error})"
        ) from error
    if sum(node.op == "placeholder" for node in graph.nodes) != 1:
        raise UnsupportedLayerError(f"{type(model).__name__} must take exactly one input")
    return graph


def check_weights(model: nn.Module) -> None:
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise NotFiniteError(f"weight {name!r} holds NaN or infinity")


def compare(model: nn.Module, frozen: FrozenNetwork) -> None:
    """Raise unless the graph gives what the model gives for the first image (an exported program: for all of them).

    torch.fx does not see everything that Python does: ``x += y`` is traced as a new value, although whoever else holds
    ``x`` reads the sum from then on.
    """
    # An exported program may accept its own batch size only.
    count = len(frozen) if is_exported(model) else 1
    # A copy, because the first layer may work in place.
    expected, outputs = model(frozen.images[:count].clone()), frozen.outputs[:count]
    # Far above the rounding of another order of summation (on GPUs too), far below what another network gives.
    tolerance = torch.finfo(frozen.dtype).eps ** (1 / 3) * expected.abs().max()
    if expected.shape != outputs.shape or not (expected - outputs).abs().max() <= tolerance:
        raise DifferenceError(
            f"{type(model).__name__} does something that neither torch.fx nor torch.export can follow: its graph gives "
            "other outputs than the model itself for the first image alone. Look for a layer that works in place "
            "(inplace=True, x += y) on a value read again, and for a value that depends on the batch size"
        )
