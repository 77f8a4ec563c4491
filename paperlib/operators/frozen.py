"""A whole network as a linear operator: the frozen CNN ``A[x]`` and its adjoint (`generalizability`, Section 2.1).

>>> import torch
>>> from paperlib.models import mnist_cnn
>>> from paperlib.operators import freeze
>>> model = mnist_cnn().eval()
>>> images = torch.rand(2, 1, 28, 28)
>>> frozen = freeze(model, images)
>>> torch.allclose(frozen.product(images.unsqueeze(1)).squeeze(1), model(images), atol=1e-6)
True
"""

import re
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from paperlib.operators.base import LinearOperator, check_block
from paperlib.operators.errors import NotFiniteError, OperatorError, ShapeError, UnsupportedLayerError
from paperlib.operators.operations import Gate, GatedWindowSum, Operation, WindowSum, channels_last
from paperlib.operators.rules import (
    CONSTANT_RULES,
    FUNCTION_RULES,
    MODULE_RULES,
    Frozen,
    UnsupportedSetting,
    supported_layers,
)


@dataclass(frozen=True)
class Step:
    """One operation of the network: ``path`` is its place in the model, ``inputs`` and ``output`` name values."""

    path: str
    operation: Operation
    offset: Tensor | None
    inputs: tuple[str, ...]
    output: str


class FrozenNetwork:
    """A piecewise linear network at a batch of images: ``F(x) = A[x] x + b[x]``, one matrix for each image.

    ``outputs`` ``(batch, *range_shape)`` is ``F(x)``. All products take and give blocks of k vectors for each image;
    no autograd graph is kept. Made by `freeze`.
    """

    def __init__(self, steps: tuple[Step, ...], source: str, result: str, images: Tensor, outputs: Tensor):
        self.steps = steps
        self._source, self._result = source, result
        self.images, self.outputs = images, outputs
        self.domain_shape = tuple(images.shape[1:])
        self.range_shape = tuple(outputs.shape[1:])
        self.dtype, self.device = images.dtype, images.device

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of each matrix."""
        return self.outputs[0].numel(), self.images[0].numel()

    def product(self, vectors: Tensor) -> Tensor:
        """``A[x] v``: ``(batch, k, *domain_shape)`` to ``(batch, k, *range_shape)``; raises ``ShapeError``."""
        self._check(vectors, self.domain_shape, "product")
        return self._run(vectors, affine=False)

    def adjoint(self, vectors: Tensor) -> Tensor:
        """``A[x]^T z``: ``(batch, k, *range_shape)`` to ``(batch, k, *domain_shape)``; raises ``ShapeError``."""
        self._check(vectors, self.range_shape, "adjoint")
        with torch.no_grad():
            values = {self._result: channels_last(vectors)}
            for step in reversed(self.steps):
                if step.output not in values:
                    continue
                parts = step.operation.adjoint(values.pop(step.output))
                for name, part in zip(step.inputs, parts, strict=True):
                    # A value that several steps read (a skip connection) collects what each of them sends back.
                    values[name] = values[name] + part if name in values else part
            return values[self._source]

    @property
    def has_offset(self) -> bool:
        """Whether a layer has a bias or another constant part, so that ``b[x]`` may differ from zero."""
        return any(step.offset is not None for step in self.steps)

    def offset(self) -> Tensor:
        """``b[x]`` ``(batch, *range_shape)``: what the frozen network gives for zero; zero without biases."""
        zero = self.images.new_zeros(len(self), 1, *self.domain_shape)
        return self._run(zero, affine=True).squeeze(1)

    def __getitem__(self, index: int) -> LinearOperator:
        """``A[x]`` of one image as a linear operator."""
        index = range(len(self))[index]
        return FrozenOperator(self.part(slice(index, index + 1)))

    def part(self, images: slice) -> "FrozenNetwork":
        """The same network at some images of the batch."""
        steps = tuple(Step(s.path, s.operation.at(images), s.offset, s.inputs, s.output) for s in self.steps)
        return FrozenNetwork(steps, self._source, self._result, self.images[images], self.outputs[images])

    def _run(self, vectors: Tensor, affine: bool) -> Tensor:
        with torch.no_grad():
            values = {self._source: channels_last(vectors)}
            uses = Counter(name for step in self.steps for name in step.inputs)
            for step in self.steps:
                value = step.operation.product(*(values[name] for name in step.inputs))
                values[step.output] = value + step.offset if affine and step.offset is not None else value
                for name in step.inputs:
                    uses[name] -= 1
                    if uses[name] == 0 and name != self._result:
                        values.pop(name, None)
            return values[self._result]

    def _check(self, vectors: Tensor, shape: tuple[int, ...], name: str) -> None:
        check_block(vectors, shape, self.dtype, self.device, name, leading=2)
        if len(vectors) != len(self):
            raise ShapeError(f"{name} expects vectors for {len(self)} images, got {len(vectors)}")


class FrozenOperator(LinearOperator):
    """``A[x]`` of one image, see `FrozenNetwork`; ``network`` is the batch of one behind it."""

    def __init__(self, network: FrozenNetwork):
        super().__init__(network.domain_shape, network.range_shape, network.dtype, network.device)
        self.network = network

    def _matmat(self, vectors: Tensor) -> Tensor:
        return self.network.product(vectors.unsqueeze(0)).squeeze(0)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        return self.network.adjoint(vectors.unsqueeze(0)).squeeze(0)


def freeze(model: nn.Module, images: Tensor) -> FrozenNetwork:
    """Freeze a piecewise linear network at a batch of images ``(batch, *domain_shape)``.

    The model is any ``nn.Module`` (a single layer too) in evaluation mode, of one input and one output, made of
    supported layers (`paperlib.operators.supported_layers`); torch.fx finds the order in which it applies them.

    Raises ``UnsupportedLayerError`` (with the layer's path) for a layer without an adjoint here or a forward function
    that depends on the input's values; ``ShapeError`` where a layer refuses the input's shape or dtype;
    ``NotFiniteError`` for NaN or infinity in weights or images.
    """
    return Compiled(model).freeze(images)


class Compiled:
    """A model with its torch.fx graph, ready to be frozen at many batches."""

    def __init__(self, model: nn.Module):
        _check_weights(model)
        self.model = model
        self.graph = _trace(model)
        self._compared = False

    def freeze(self, images: Tensor) -> FrozenNetwork:
        """See `freeze`."""
        if not torch.isfinite(images).all():
            raise NotFiniteError("the images hold NaN or infinity; RPR and the frozen network are undefined there")
        with torch.no_grad():
            frozen = _Recorder(self.model, images.detach()).run(self.graph)
            if not self._compared:
                _compare(self.model, frozen)
                self._compared = True
        return frozen


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        return type(module) in MODULE_RULES or super().is_leaf_module(module, qualified_name)


def _trace(model: nn.Module) -> fx.Graph:
    if type(model) in MODULE_RULES:
        model = nn.Sequential(model)
    try:
        graph = _Tracer().trace(model)
    except (fx.proxy.TraceError, TypeError, RuntimeError) as error:
        raise UnsupportedLayerError(
            f"{type(model).__name__} cannot be frozen: its forward function depends on the values of its input or "
            f"does something that torch.fx cannot follow ({error})"
        ) from error
    if sum(node.op == "placeholder" for node in graph.nodes) != 1:
        raise UnsupportedLayerError(f"{type(model).__name__} must take exactly one input")
    return graph


def _check_weights(model: nn.Module) -> None:
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise NotFiniteError(f"weight {name!r} holds NaN or infinity")


def _compare(model: nn.Module, frozen: FrozenNetwork) -> None:
    """Raise unless the graph gives what the model gives, for the first image.

    torch.fx does not see everything that Python does: ``x += y`` is traced as a new value, although whoever else holds
    ``x`` reads the sum from then on.
    """
    # A copy, because the first layer may work in place.
    expected = model(frozen.images[:1].clone())
    # Far above the rounding of another order of summation (on GPUs too), far below what another network gives.
    tolerance = torch.finfo(frozen.dtype).eps ** (1 / 3) * expected.abs().max()
    if expected.shape != frozen.outputs[:1].shape or not (expected - frozen.outputs[:1]).abs().max() <= tolerance:
        raise UnsupportedLayerError(
            f"{type(model).__name__} does something that torch.fx cannot follow: its graph gives other outputs than "
            "the model itself. Look for a layer that works in place (inplace=True, x += y) on a value read again"
        )


class _Recorder:
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


__all__ = ["Compiled", "FrozenNetwork", "FrozenOperator", "OperatorError", "Step", "freeze"]
