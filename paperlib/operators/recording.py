"""One walk through a model's graph at a batch of images, which records the operations of the frozen network."""

import operator
import re

import torch
from torch import Tensor, fx, nn

from paperlib.operators.errors import ShapeError, UnsupportedLayerError
from paperlib.operators.frozen import FrozenNetwork, Step
from paperlib.operators.fusing import fuse
from paperlib.operators.rules import (
    CONSTANT_RULES,
    FUNCTION_RULES,
    MODULE_RULES,
    WEIGHTED,
    Frozen,
    UnsupportedSetting,
    known,
    reason,
    supported_layers,
)

_STATISTICS = (
    "it normalises by statistics of its input, so that the network is not piecewise linear; frozen_statistics=True "
    "keeps the mean and deviation recorded at the images as constants (A[x] is then not the derivative)"
)
# What compares values of the network, and what may read the result.
_COMPARISONS = {operator.gt, operator.ge, operator.lt, operator.le}
_COMPARISONS |= {torch.ops.aten.gt, torch.ops.aten.ge, torch.ops.aten.lt, torch.ops.aten.le}
_CHOICES = {torch.where, torch.ops.aten.where}


class Recorder:
    """Walks the graph at a batch of images and records the operations."""

    def __init__(self, model: nn.Module, images: Tensor, frozen_statistics: bool = False, masks: str = "bool"):
        self.model = model if type(model) not in MODULE_RULES else nn.Sequential(model)
        self.images = images
        self.frozen_statistics = frozen_statistics
        self.masks = masks
        self.values: dict[str, object] = {}
        self.tracked: set[str] = set()
        self.decided: set[str] = set()
        self.steps: list[Step] = []

    def run(self, graph: fx.Graph) -> FrozenNetwork:
        source = result = ""
        for node in graph.nodes:
            if node.op == "placeholder":
                source = node.name
                self._keep(node.name, self.images)
            elif node.op == "get_attr":
                self.values[node.name] = _attribute(self.model, node.target)
            elif node.op == "output":
                result = self._output(node.args[0])
            else:
                self._call(node)
            self._forget(node)
        steps = tuple(fuse(self.steps, result))
        return FrozenNetwork(steps, source, result, self.images, self.values[result])

    def _call(self, node: fx.Node) -> None:
        path = _path(node)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda n: self.values[n.name])
        inputs = self._inputs(node)
        rule = self._rule(node, inputs)
        if self._reads_decided(node):
            raise UnsupportedLayerError(self._unsupported(node, path, "it reads a mask that is decided by the input"))
        if inputs and known(node.target) in _COMPARISONS:
            # Constant around the images, but not the same for all of them: only a choice may read it.
            self.decided.add(node.name)
        if not inputs or node.name in self.decided or (rule is None and self._is_query(node)):
            self.values[node.name] = _evaluate(self.model, node, args, kwargs)
            return
        if rule is None:
            kind = type(self.model.get_submodule(node.target)) if node.op == "call_module" else node.target
            raise UnsupportedLayerError(self._unsupported(node, path, reason(node, kind)))
        if known(node.target) in _CHOICES:
            self._check_choice(node, path, inputs)
        elif known(node.target) in WEIGHTED and rule is FUNCTION_RULES[known(node.target)]:
            self._check_weights(node, path, inputs)
        elif rule is FUNCTION_RULES.get(known(node.target)) and self._has_constants(node):
            raise UnsupportedLayerError(self._unsupported(node, path, "it joins a value with a constant tensor"))
        self._record(node, path, rule, args, kwargs, inputs)

    def _record(self, node: fx.Node, path: str, rule, args, kwargs, inputs: tuple[str, ...]) -> None:
        module = (self.model.get_submodule(node.target),) if node.op == "call_module" else ()
        try:
            _check_axes(module[0] if module else node.target, self.values[inputs[0]])
            frozen: Frozen = rule(*module, *args, **kwargs)
        except UnsupportedSetting as error:
            raise UnsupportedLayerError(self._unsupported(node, path, str(error))) from error
        except (RuntimeError, ValueError, IndexError) as error:
            shapes = ", ".join(f"{tuple(self.values[n].shape)} {self.values[n].dtype}" for n in inputs)
            raise ShapeError(
                f"layer {path} does not accept its input ({shapes}), with images {tuple(self.images.shape)}: {error}"
            ) from error
        except TypeError as error:
            raise UnsupportedLayerError(self._unsupported(node, path, str(error))) from error
        if frozen.statistics and not self.frozen_statistics:
            raise UnsupportedLayerError(self._unsupported(node, path, _STATISTICS))
        # At once, so that no more than one layer's booleans are ever held unpacked.
        operation = frozen.operation.packed() if self.masks == "bits" else frozen.operation
        step = Step(path, operation, frozen.offset, inputs, node.name, frozen.offset_per_image)
        self.steps.append(step)
        self._keep(node.name, frozen.output)

    def _check_choice(self, node: fx.Node, path: str, inputs: tuple[str, ...]) -> None:
        if len(inputs) != 2:
            why = "it is a choice between other than two values that depend on the input"
            raise UnsupportedLayerError(self._unsupported(node, path, why))

    def _check_weights(self, node: fx.Node, path: str, inputs: tuple[str, ...]) -> None:
        """Raise unless the value of the network stands where the rule takes it, and nowhere among the weights."""
        place = WEIGHTED[known(node.target)]
        first = node.args[place] if place < len(node.args) else node.kwargs.get("input")
        if len(inputs) != 1 or getattr(first, "name", None) != inputs[0]:
            why = "its weights depend on the input, and a product of two such values is not piecewise linear"
            raise UnsupportedLayerError(self._unsupported(node, path, why))

    def _inputs(self, node: fx.Node) -> tuple[str, ...]:
        """Names of the tracked values among the arguments, in order; `x + x` names one value twice."""
        names: list[str] = []
        fx.node.map_arg((node.args, node.kwargs), lambda argument: names.append(argument.name))
        return tuple(name for name in names if name in self.tracked)

    def _rule(self, node: fx.Node, inputs: tuple[str, ...]):
        if node.op == "call_module":
            return MODULE_RULES.get(type(self.model.get_submodule(node.target)))
        target = known(node.target)
        if len(inputs) == 1 and len(node.args) == 2 and target in CONSTANT_RULES:
            swapped = not (isinstance(node.args[0], fx.Node) and node.args[0].name in self.tracked)
            rule = CONSTANT_RULES[target]
            return lambda first, second: rule(*((second, first) if swapped else (first, second)), swapped=swapped)
        return FUNCTION_RULES.get(target)

    def _has_constants(self, node: fx.Node) -> bool:
        return any(
            isinstance(self.values[read.name], Tensor) for read in node.all_input_nodes if read.name not in self.tracked
        )

    def _reads_decided(self, node: fx.Node) -> bool:
        return known(node.target) not in _CHOICES and any(read.name in self.decided for read in node.all_input_nodes)

    def _is_query(self, node: fx.Node) -> bool:
        if node.target is getattr:
            return node.args[1] in ("shape", "dtype", "device", "ndim")
        return known(node.target) in ("size", "dim", torch.ops.aten.sym_size)

    def _unsupported(self, node: fx.Node, path: str, why: str) -> str:
        kind = type(self.model.get_submodule(node.target)).__name__ if node.op == "call_module" else "function"
        return f"layer {path!r} ({kind}) is not supported: {why}. Supported layers: {', '.join(supported_layers())}"

    def _keep(self, name: str, value: Tensor) -> None:
        self.values[name] = value
        self.tracked.add(name)

    def _forget(self, node: fx.Node) -> None:
        """Drop evaluated values that no later node reads, so that a deep network does not keep all its activations."""
        for read in node.all_input_nodes:
            if node.op != "output" and max(read.users) is node:
                self.values[read.name] = None

    def _output(self, result) -> str:
        if not isinstance(result, fx.Node) or result.name not in self.tracked:
            raise UnsupportedLayerError(
                "the model must return exactly one tensor that depends on its input; of several, wrap it in a module "
                "that returns the one of interest"
            )
        return result.name


def _evaluate(model: nn.Module, node: fx.Node, args, kwargs):
    if node.op == "call_module":
        return model.get_submodule(node.target)(*args, **kwargs)
    if node.op == "call_method":
        return getattr(args[0], node.target)(*args[1:], **kwargs)
    return node.target(*args, **kwargs)


def _path(node: fx.Node) -> str:
    """Where a node stands in the model; an exported program remembers the layer that each operation came from."""
    if node.op == "call_module":
        return str(node.target)
    function = f"{getattr(node.target, '__name__', node.target)}() at {node.name}"
    layers = [path for path, _ in node.meta.get("nn_module_stack", {}).values() if path]
    return f"{layers[-1]} ({function})" if layers else function


def _check_axes(layer, x: Tensor) -> None:
    """Raise ``ValueError`` where a layer that torch calls ``...2d`` is given something else than a batch of images.

    torch takes ``(channels, height, width)`` for one image; the channels would pass for the batch here.
    """
    name = type(layer).__name__ if isinstance(layer, nn.Module) else getattr(known(layer), "__name__", "")
    named = re.search(r"(?:conv|convtranspose|conv_transpose|pool|nearest)([123])d$", name.lower())
    if named and x.dim() != int(named[1]) + 2:
        raise ValueError(f"{name} works on (batch, channels, *spatial) with {named[1]} spatial axes")


def _attribute(model: nn.Module, target: str) -> Tensor:
    value = model
    for name in target.split("."):
        value = getattr(value, name)
    return value
