"""Neighbouring steps of a frozen network joined into one that does the same with less work and memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from paperlib.operators.blocks import Operation
from paperlib.operators.convolution import Convolution, ConvolutionOfSeveral, after_upsampling
from paperlib.operators.frozen import Step
from paperlib.operators.gates import Gate, GatedWindowSum
from paperlib.operators.operations import Concatenation, Transposed
from paperlib.operators.window_sums import WindowSum

# A convolution of fewer channels costs as much as one of these many: the width of the processor's vectors.
_ENOUGH_CHANNELS = 16

Finder = Callable[[str], Step | None]


def fuse(steps: list[Step], result: str) -> list[Step]:
    """Join steps with those before them that they alone read, where that pays.

    - a gate, then a window sum: one pass over the largest tensors instead of three;
    - a concatenation of channels, then a convolution: a sum of convolutions, and nothing is copied;
    - up-sampling by whole factors, then a convolution: one transposed convolution of the small tensor.
    """
    readers = Counter([result, *(name for step in steps for name in step.inputs)])
    fused: dict[str, Step] = {}

    def alone(name: str) -> Step | None:
        """The step without a constant part that gives this value to one reader only."""
        before = fused.get(name)
        return before if before is not None and readers[name] == 1 and before.offset is None else None

    for step in steps:
        before = alone(step.inputs[0]) if len(step.inputs) == 1 else None
        joined, taken = (None, []) if before is None else _joined(step, before, alone)
        for one in taken:
            del fused[one.output]
        path = " and ".join(one.path for one in (*taken, step))
        fused[step.output] = step if joined is None else replace(joined, path=path)
    return list(fused.values())


def _joined(step: Step, before: Step, alone: Finder) -> tuple[Step | None, list[Step]]:
    """A step with the one before it, or None, and the steps that it takes the place of."""
    after, first = step.operation, before.operation
    if isinstance(after, WindowSum) and isinstance(first, Gate) and len(after.window) > 1:
        return replace(step, operation=GatedWindowSum(first, after), inputs=before.inputs), [before]
    if not isinstance(after, Convolution):
        return None, []
    if isinstance(first, Concatenation):
        return _over_arguments(step, before, alone)
    joined = _over_upsampling(after, before)
    return (replace(step, operation=joined, inputs=before.inputs), [before]) if joined else (None, [])


def _over_arguments(step: Step, before: Step, alone: Finder) -> tuple[Step | None, list[Step]]:
    """A convolution of a concatenation as a sum over its arguments, those that are up-sampled in their small form."""
    convolution, sizes = step.operation, before.operation.sizes
    if before.operation.axis != 0 or convolution.groups != 1 or min(sizes) < _ENOUGH_CHANNELS:
        return None, []
    operations, inputs, taken = [], [], []
    for name, weight in zip(before.inputs, convolution.weight.split(sizes, dim=1), strict=True):
        part, source = replace(convolution, weight=weight), alone(name)
        joined = _over_upsampling(part, source) if source is not None else None
        operations.append(joined or part)
        inputs.append(source.inputs[0] if joined else name)
        taken += [source] if joined else []
    joined = replace(step, operation=ConvolutionOfSeveral(tuple(operations)), inputs=tuple(inputs))
    return joined, [*taken, before]


def _over_upsampling(convolution: Convolution, before: Step) -> Operation | None:
    first = before.operation
    if not (isinstance(first, Transposed) and isinstance(first.operation, WindowSum)):
        return None
    small = after_upsampling(convolution, first.operation.window, first.operation.scale)
    return None if small is None else Transposed(small)
