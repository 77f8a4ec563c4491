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
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from paperlib.operators.base import LinearOperator, check_block
from paperlib.operators.blocks import Operation, channels_last
from paperlib.operators.errors import ShapeError


@dataclass(frozen=True)
class Step:
    """One operation of the network: ``path`` is its place in the model, ``inputs`` and ``output`` name values.

    ``offset`` is one for all images, ``(*out)``, or with ``offset_per_image`` one for each, ``(batch, 1, *out)``.
    """

    path: str
    operation: Operation
    offset: Tensor | None
    inputs: tuple[str, ...]
    output: str
    offset_per_image: bool = False

    def at(self, images: slice) -> "Step":
        """The same step for some images of the batch."""
        offset = self.offset[images] if self.offset_per_image else self.offset
        return replace(self, operation=self.operation.at(images), offset=offset)


class FrozenNetwork:
    """A piecewise linear network at a batch of images: ``F(x) = A[x] x + b[x]``, one matrix for each image.

    ``outputs`` ``(batch, *range_shape)`` is ``F(x)``. All products take and give blocks of k vectors for each image;
    no autograd graph is kept. Made by `freeze`.

    In the book: thm-frozen-network, thm-adjoint-network.
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
            values, owned = {self._result: channels_last(vectors)}, set()
            for step in reversed(self.steps):
                if step.output not in values:
                    continue
                operation = step.operation
                adjoint = operation.overwriting_adjoint if step.output in owned else operation.adjoint
                for name, part in zip(step.inputs, adjoint(values.pop(step.output)), strict=True):
                    _collect(values, owned, name, part, operation.adjoint_is_new)
                    # Not to be held, beside the sum that it went into, while the next step works.
                    del part
            return values[self._source]

    @property
    def mask_bytes(self) -> int:
        """Bytes that the network holds for what the images decided: masks of gates and places of maxima."""
        return sum(step.operation.mask_bytes for step in self.steps)

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
        steps = tuple(step.at(images) for step in self.steps)
        return FrozenNetwork(steps, self._source, self._result, self.images[images], self.outputs[images])

    def _run(self, vectors: Tensor, affine: bool) -> Tensor:
        with torch.no_grad():
            values, owned = {self._source: channels_last(vectors)}, set()
            uses = Counter(name for step in self.steps for name in step.inputs)
            for step in self.steps:
                operation = step.operation
                uses.subtract(step.inputs)
                done = {name for name in step.inputs if uses[name] == 0 and name != self._result}
                spent = done.issuperset(step.inputs) and owned.issuperset(step.inputs)
                product = operation.overwriting_product if spent else operation.product
                value = product(*(values[name] for name in step.inputs))
                values[step.output] = value + step.offset if affine and step.offset is not None else value
                for name in done:
                    del values[name]
                if operation.product_is_new:
                    owned.add(step.output)
                else:
                    # The output may be one of the inputs, which another step may still read.
                    owned.difference_update(step.inputs)
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


def _collect(values: dict[str, Tensor], owned: set[str], name: str, part: Tensor, new: bool) -> None:
    """Add what a step sends back to a value; one that several steps read (a skip connection) collects all of them.

    ``owned`` names the values whose memory nothing else reads.
    """
    if name not in values:
        values[name] = part
        if new:
            owned.add(name)
    elif name in owned:
        values[name] += part
    else:
        values[name] = values[name] + part
        owned.add(name)
