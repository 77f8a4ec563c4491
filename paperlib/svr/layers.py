"""Which linear layer of a network feeds which, found from the model's own graph."""

from dataclasses import dataclass
from types import UnionType
from typing import Any

import torch
from torch import Tensor, fx, nn

from paperlib.models import evaluating
from paperlib.subspaces.layers import LayerError
from paperlib.unfolding import Convolution

_Linear = nn.Linear | Convolution
_CONCATENATIONS = (torch.cat, torch.concat, torch.concatenate)


class GraphError(ValueError):
    """A model whose layers cannot be put in order; the message names the operation and what is supported."""


@dataclass(frozen=True)
class Link:
    """One linear layer feeding another, with nothing between them but activations, pooling, norms and sums.

    The ``channels`` outputs of layer ``earlier`` are the inputs of layer ``later`` from ``start`` on. Where a map was
    flattened in between, each channel has ``places`` neighbouring inputs, and ``start`` counts inputs.
    """

    earlier: str
    later: str
    start: int
    channels: int
    places: int


@dataclass(frozen=True)
class LayerGraph:
    """Linear layers by path in the order in which the model runs them, and the links between them: an acyclic graph.

    In a chain each layer feeds the next; a residual sum links a layer to all that are added to its input, a
    concatenation to each for its part of the inputs.
    """

    layers: tuple[str, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class _Source:
    """Entries from ``start`` on along axis 1 of a value are the outputs of a layer, ``places`` for each channel."""

    path: str
    start: int
    channels: int
    places: int


def layer_graph(model: nn.Module, images: Tensor) -> LayerGraph:
    """Trace the model and link its fully connected and convolutional layers; ``images`` is an example of its input.

    Values are followed through every operation that keeps axis 1 (activations, pooling, normalisation, sums and
    products), through flattening and through concatenation along axis 1. The model's mode is left as it is.

    Raises ``GraphError`` where the model cannot be traced, or an operation rearranges channels in another way, and
    ``LayerError`` where it runs no linear layer.
    """
    traced = fx.GraphModule(model, traced_graph(model, _Linear))
    follower = _Follower(traced)
    with evaluating(model), torch.no_grad():
        follower.run(images)
    if not follower.layers:
        raise LayerError(f"{type(model).__name__} runs no fully connected layer and no convolution")
    return LayerGraph(tuple(follower.layers), tuple(dict.fromkeys(follower.links)))


def traced_graph(model: nn.Module, kinds: type | UnionType) -> fx.Graph:
    """The model's graph of operations; modules that hold none of the ``kinds`` are one operation each.

    Raises ``GraphError`` where torch.fx cannot trace the model.
    """

    class Tracer(fx.Tracer):
        def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
            holds = any(isinstance(part, kinds) for part in module.modules())
            return not holds or super().is_leaf_module(module, qualified_name)

    try:
        return Tracer().trace(model)
    except Exception as error:
        # What a model does with tensors that are not there is its own affair: any error means that it has no graph.
        raise GraphError(f"{type(model).__name__} cannot be traced by torch.fx: {error}") from error


class _Follower(fx.Interpreter):
    """Runs a traced model and keeps for each value the layers that it comes from."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.layers: dict[str, None] = {}
        self.links: list[Link] = []
        self.sources: dict[fx.Node, tuple[_Source, ...]] = {}

    def run_node(self, node: fx.Node) -> Any:
        value = super().run_node(node)
        inputs = [other for other in node.all_input_nodes if isinstance(self.env.get(other), Tensor)]
        module = self.module.get_submodule(node.target) if node.op == "call_module" else None
        if isinstance(module, _Linear):
            self.sources[node] = self._linear(node.target, module, inputs[0])
        elif isinstance(value, Tensor) and node.op not in ("placeholder", "get_attr", "output"):
            self.sources[node] = self._others(node, value, inputs)
        else:
            self.sources[node] = ()
        return value

    def _linear(self, path: str, module: _Linear, before: fx.Node) -> tuple[_Source, ...]:
        self.layers.setdefault(path)
        for source in self.sources[before]:
            self.links.append(Link(source.path, path, source.start, source.channels, source.places))
        channels = module.out_features if isinstance(module, nn.Linear) else module.out_channels
        return (_Source(path, 0, channels, 1),)

    def _others(self, node: fx.Node, value: Tensor, inputs: list[fx.Node]) -> tuple[_Source, ...]:
        if not any(self.sources[before] for before in inputs):
            return ()
        if node.target in _CONCATENATIONS:
            return self._concatenated(node, value)
        if all(_keeps_channels(self.env[before], value) for before in inputs):
            return tuple(dict.fromkeys(source for before in inputs for source in self.sources[before]))
        (before, *others) = inputs
        places = _flattened(self.env[before], value)
        if places is None or others:
            raise GraphError(
                f"operation {node.name!r} ({_name(node.target)}) takes {[tuple(self.env[i].shape) for i in inputs]} to "
                f"{tuple(value.shape)}, where channels cannot be followed; supported are operations that keep axis 1, "
                "flattening to two axes and concatenation along axis 1"
            )
        return tuple(
            _Source(source.path, source.start * places, source.channels, source.places * places)
            for source in self.sources[before]
        )

    def _concatenated(self, node: fx.Node, value: Tensor) -> tuple[_Source, ...]:
        parts = node.args[0] if node.args else node.kwargs["tensors"]
        axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
        if axis % value.dim() != 1:
            raise GraphError(f"operation {node.name!r} concatenates along axis {axis}; channels lie along axis 1")
        found, start = [], 0
        for part in parts:
            found += [_Source(s.path, s.start + start, s.channels, s.places) for s in self.sources[part]]
            start += self.env[part].shape[1]
        return tuple(found)


def _keeps_channels(before: Tensor, after: Tensor) -> bool:
    """Whether axis 1 is the same, or ``before`` is broadcast along it, as a scale or an attention map is."""
    if before.dim() < 2 or before.numel() == 1:
        return True
    same = after.dim() >= 2 and before.shape[1] in (after.shape[1], 1)
    # A flattened map of one place has the same shape as the channels that it came from.
    return same and before.shape[0] == after.shape[0]


def _flattened(before: Tensor, after: Tensor) -> int | None:
    """Entries of each channel where a map ``(batch, channels, ...)`` became ``(batch, channels * places)``."""
    if after.dim() != 2 or before.dim() < 2 or after.shape[0] != before.shape[0] or before.numel() != after.numel():
        return None
    return after.shape[1] // before.shape[1]


def _name(target: Any) -> str:
    return getattr(target, "__name__", str(target))
