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

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.operators.base import LinearOperator, check_block
from paperlib.operators.errors import ShapeError
from paperlib.operators.operations import Operation, channels_last


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
