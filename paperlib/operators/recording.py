"""One walk through a model's graph at a batch of images, which records the operations of the frozen network."""

import re
from collections import Counter

from torch import Tensor, fx, nn

from paperlib.operators.errors import ShapeError, UnsupportedLayerError
from paperlib.operators.frozen import FrozenNetwork, Step
from paperlib.operators.operations import Gate, GatedWindowSum, WindowSum
from paperlib.operators.rules import (
    CONSTANT_RULES,
    FUNCTION_RULES,
    MODULE_RULES,
    Frozen,
    UnsupportedSetting,
    supported_layers,
)


class Recorder:
    """Walks the graph at a batch of images and records the operations."""

    def __init__(self, model: nn.Module, images: Tensor):
        self.model = model if type(model) not in MODULE_RULES else nn.Sequential(model)
        self.images = images
        self.values: dict[str, object] = {}
        self.tracked: set[str] = set()
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
        steps = tuple(_fuse(self.steps, result))
        return FrozenNetwork(steps, source, result, self.images, self.values[result])

    def _call(self, node: fx.Node) -> None:
        path = (
            str(node.target)
            if node.op == "call_module"
            else f"{getattr(node.target, '__name__', node.target)}() at {node.name}"
        )
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda n: self.values[n.name])
        inputs = self._inputs(node)
        rule = self._rule(node, inputs)
        if not inputs or (rule is None and self._is_query(node)):
            self.values[node.name] = _evaluate(self.model, node, args, kwargs)
            return
        if rule is None:
            raise UnsupportedLayerError(self._unsupported(node, path, "it has no adjoint here"))
        if rule is FUNCTION_RULES.get(node.target) and self._has_constants(node):
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
        self.steps.append(Step(path, frozen.operation, frozen.offset, inputs, node.name))
        self._keep(node.name, frozen.output)

    def _inputs(self, node: fx.Node) -> tuple[str, ...]:
        """Names of the tracked values among the arguments, in order; `x + x` names one value twice."""
        names: list[str] = []
        fx.node.map_arg((node.args, node.kwargs), lambda argument: names.append(argument.name))
        return tuple(name for name in names if name in self.tracked)

    def _rule(self, node: fx.Node, inputs: tuple[str, ...]):
        if node.op == "call_module":
            return MODULE_RULES.get(type(self.model.get_submodule(node.target)))
        if len(inputs) == 1 and len(node.args) == 2 and node.target in CONSTANT_RULES:
            swapped = not (isinstance(node.args[0], fx.Node) and node.args[0].name in self.tracked)
            rule = CONSTANT_RULES[node.target]
            return lambda first, second: rule(*((second, first) if swapped else (first, second)), swapped=swapped)
        return FUNCTION_RULES.get(node.target)

    def _has_constants(self, node: fx.Node) -> bool:
        return any(
            isinstance(self.values[read.name], Tensor) for read in node.all_input_nodes if read.name not in self.tracked
        )

    def _is_query(self, node: fx.Node) -> bool:
        if node.target is getattr:
            return node.args[1] in ("shape", "dtype", "device", "ndim")
        return node.target in ("size", "dim")

    def _unsupported(self, node: fx.Node, path: str, why: str) -> str:
        kind = type(self.model.get_submodule(node.target)).__name__ if node.op == "call_module" else "function"
        return f"layer {path!r} ({kind}) is not supported: {why}. Supported layers: {', '.join(supported_layers())}"

    def _keep(self, name: str, value: Tensor) -> None:
        self.values[name] = value
        self.tracked.add(name)

    def _forget(self, node: fx.Node) -> None:
        """Drop evaluated values that no later node reads, so that a deep network does not keep all its activations."""
        for read in node.all_input_nodes:
            if node.op != "output" and list(read.users)[-1] is node:
                self.values[read.name] = None

    def _output(self, result) -> str:
        if not isinstance(result, fx.Node) or result.name not in self.tracked:
            raise UnsupportedLayerError("the model must return exactly one tensor that depends on its input")
        return result.name


def _fuse(steps: list[Step], result: str) -> list[Step]:
    """Join a gate with the window sum that alone reads it: one pass over the largest tensors instead of three."""
    readers = Counter([result, *(name for step in steps for name in step.inputs)])
    fused: list[Step] = []
    for step in steps:
        before = fused[-1] if fused else None
        if (
            isinstance(step.operation, WindowSum)
            and before is not None
            and isinstance(before.operation, Gate)
            and step.inputs == (before.output,)
            and readers[before.output] == 1
        ):
            operation = GatedWindowSum.fuse(before.operation, step.operation)
            fused[-1] = Step(f"{before.path} and {step.path}", operation, None, before.inputs, step.output)
        else:
            fused.append(step)
    return fused


def _evaluate(model: nn.Module, node: fx.Node, args, kwargs):
    if node.op == "call_module":
        return model.get_submodule(node.target)(*args, **kwargs)
    if node.op == "call_method":
        return getattr(args[0], node.target)(*args[1:], **kwargs)
    return node.target(*args, **kwargs)


def _check_axes(layer, x: Tensor) -> None:
    """Raise ``ValueError`` where a layer that torch calls ``...2d`` is given something else than a batch of images.

    torch takes ``(channels, height, width)`` for one image; the channels would pass for the batch here.
    """
    name = type(layer).__name__ if isinstance(layer, nn.Module) else getattr(layer, "__name__", "")
    named = re.search(r"(?:conv|convtranspose|pool|nearest)([123])d$", name.lower())
    if named and x.dim() != int(named[1]) + 2:
        raise ValueError(f"{name} works on (batch, channels, *spatial) with {named[1]} spatial axes")


def _attribute(model: nn.Module, target: str) -> Tensor:
    value = model
    for name in target.split("."):
        value = getattr(value, name)
    return value
