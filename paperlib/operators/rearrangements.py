"""Operations that move values without changing them: permuting axes, padding and cropping, picking along an axis."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from paperlib.operators.blocks import Operation, channels_last


@dataclass(frozen=True)
class Permutation(Operation):
    """The axes of each vector in another order: axis i of the output is axis ``order[i]`` of the input."""

    order: tuple[int, ...]

    def product(self, vectors: Tensor) -> Tensor:
        return vectors.permute(0, 1, *(2 + axis for axis in self.order))

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        back = sorted(range(len(self.order)), key=self.order.__getitem__)
        return (vectors.permute(0, 1, *(2 + axis for axis in back)),)


@dataclass(frozen=True)
class ZeroPadding(Operation):
    """Zeros around each vector, (before, after) for each of its axes; a negative number crops.

    The adjoint crops where this pads and pads where this crops, so that a slice is a padding too.
    """

    sides: tuple[tuple[int, int], ...]

    def product(self, vectors: Tensor) -> Tensor:
        return F.pad(vectors, [side for pair in reversed(self.sides) for side in pair])

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return (F.pad(vectors, [-side for pair in reversed(self.sides) for side in pair]),)


@dataclass(frozen=True)
class Picking(Operation):
    """Position j along an axis of the output is position ``places[j]`` of the input: ``out[j] = in[places[j]]``.

    ``axes`` counts the axes of a vector (without batch and k); ``places`` holds one index tensor for each of them and
    ``sides`` their lengths in the input. Reflecting, replicating and circular padding, repeating, slices with a step.
    The adjoint adds up what every place was read for.
    """

    axes: tuple[int, ...]
    places: tuple[Tensor, ...]
    sides: tuple[int, ...]

    def product(self, vectors: Tensor) -> Tensor:
        for axis, places in zip(self.axes, self.places, strict=True):
            vectors = vectors.index_select(2 + axis, places)
        return vectors

    def adjoint(self, vectors: Tensor) -> tuple[Tensor, ...]:
        for axis, places, side in zip(self.axes, self.places, self.sides, strict=True):
            shape = list(vectors.shape)
            shape[2 + axis] = side
            vectors = vectors.new_zeros(shape).index_add_(2 + axis, places, vectors)
        return (channels_last(vectors),)
