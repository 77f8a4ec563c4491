"""A model as a chain of affine maps and activations on flattened tensors."""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.inverse.activations import SUPPORTED_ACTIVATIONS, NotInvertibleError, is_invertible
from paperlib.subspaces.spaces import FourSpaces, four_spaces, rejected_energy

LARGEST_SIDE = 4096

_LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_RESHAPING = (nn.Flatten, nn.Unflatten)
_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@dataclass(frozen=True)
class AffineMap:
    """A linear or convolutional layer at its input's shape: ``x -> W x + b`` on row-major flattened tensors, float64.

    ``exact`` says that ``W`` ``(m, n)`` is square and of full rank.
    """

    path: str
    matrix: Tensor
    bias: Tensor
    spaces: FourSpaces

    @property
    def exact(self) -> bool:
        rows, columns = self.matrix.shape
        return rows == columns == self.spaces.rank

    def __call__(self, x: Tensor) -> Tensor:
        return x @ self.matrix.mT + self.bias

    def invert(self, y: Tensor, reference: Tensor | None = None) -> Tensor:
        """Of the inputs whose outputs are nearest to ``y`` ``(count, m)``, those nearest to ``reference`` or to 0."""
        if self.exact:
            return torch.linalg.solve(self.matrix, (y - self.bias).mT).mT
        if reference is None:
            return self.spaces.pseudoinverse(y - self.bias)
        return reference + self.spaces.pseudoinverse(y - self(reference))

    def unreachable(self, y: Tensor) -> Tensor:
        """Share ``(count,)`` of the energy of ``y - b`` in the left null space, which no input can reach."""
        return rejected_energy(self.spaces.column_space, y - self.bias)


@dataclass(frozen=True)
class Activation:
    """An activation at a place in the model."""

    path: str
    module: nn.Module

    def __call__(self, x: Tensor) -> Tensor:
        return self.module(x)


@dataclass(frozen=True)
class Chain:
    """All that a model does to flattened inputs ``(count, n)``, and the shapes of one input and one output."""

    steps: tuple[AffineMap | Activation, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def chain(
    model: nn.Module, input_shape: tuple[int, ...], tolerance: float | None = None, largest_side: int = LARGEST_SIDE
) -> Chain:
    """Read a model made of nested ``nn.Sequential``; a dummy forward pass learns the shapes.

    Layers of reshaping, identities and dropout (in evaluation mode) leave a flattened tensor as it is, and are
    dropped. ``tolerance`` is that of `paperlib.subspaces.four_spaces`, by default from the weights' dtype.

    Raises ``NotInvertibleError`` for modules without an inverse and ``ValueError`` for an input shape that does not
    fit, dropout in training mode, a layer whose matrix has a side above ``largest_side``, and weights that are not
    finite.
    """
    leaves = _leaves(model)
    for path, module in leaves:
        _check(path, module)
    shapes, output_shape = _shapes(model, leaves, tuple(input_shape))
    steps: list[AffineMap | Activation] = []
    for path, module in leaves:
        if isinstance(module, _LINEAR):
            steps.append(_affine(path, module, shapes[path], tolerance, largest_side))
        elif is_invertible(module) and not isinstance(module, nn.Identity):
            steps.append(Activation(path, _out_of_place(module)))
    return Chain(tuple(steps), tuple(input_shape), output_shape)


def _out_of_place(module: nn.Module) -> nn.Module:
    """The module, or a copy of it that leaves its input as it is."""
    if not getattr(module, "inplace", False):
        return module
    copy = deepcopy(module)
    copy.inplace = False
    return copy


def _leaves(model: nn.Module, prefix: str = "") -> list[tuple[str, nn.Module]]:
    if not isinstance(model, nn.Sequential):
        return [(prefix, model)]
    # Not named_children, which leaves out a module that stands in two places.
    parts = [(f"{prefix}.{name}".lstrip("."), child) for name, child in model._modules.items()]
    return [leaf for path, child in parts for leaf in _leaves(child, path)]


def _check(path: str, module: nn.Module) -> None:
    if isinstance(module, _DROPOUT):
        if module.training and module.p > 0:
            raise ValueError(
                f"{type(module).__name__} at {path!r} is in training mode, where it is random; call model.eval()"
            )
    elif not (isinstance(module, (*_LINEAR, *_RESHAPING)) or is_invertible(module)):
        slope = f" with slope {module.negative_slope}" if isinstance(module, nn.LeakyReLU) else ""
        kinds = [kind.__name__ for kind in (nn.Sequential, *_LINEAR, *_RESHAPING, nn.Dropout)]
        raise NotInvertibleError(
            f"{type(module).__name__}{slope} at {path!r} has no inverse here; supported are "
            f"{', '.join([*kinds, *SUPPORTED_ACTIVATIONS])} (leaky ReLU with a slope above 0)"
        )


def _shapes(
    model: nn.Module, leaves: list[tuple[str, nn.Module]], input_shape: tuple[int, ...]
) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    """Shape of one input of each leaf, and of one output of the model."""
    weight = next(model.parameters(), torch.zeros(()))
    x = weight.new_zeros(2, *input_shape)
    shapes: dict[str, tuple[int, ...]] = {}
    for path, module in leaves:
        shapes[path] = tuple(x.shape[1:])
        try:
            x = module(x)
        except (RuntimeError, ValueError, IndexError) as error:
            raise ValueError(
                f"{type(module).__name__} at {path!r} does not take inputs of shape {shapes[path]}, to which the input "
                f"shape {input_shape} leads: {error}"
            ) from error
        if x.dim() < 2 or len(x) != 2:
            raise ValueError(
                f"{type(module).__name__} at {path!r} does not keep the batch axis; it must start at axis 1"
            )
    return shapes, tuple(x.shape[1:])


def _affine(
    path: str, module: nn.Module, input_shape: tuple[int, ...], tolerance: float | None, largest_side: int
) -> AffineMap:
    columns = torch.Size(input_shape).numel()
    layer = deepcopy(module).double().requires_grad_(False)
    zero = layer.weight.new_zeros(1, *input_shape)
    bias = layer(zero).flatten()
    if max(columns, len(bias)) > largest_side:
        raise ValueError(
            f"the matrix of {type(module).__name__} at {path!r} is {len(bias)} x {columns}; sides above {largest_side} "
            "are refused: raise largest_side if the memory and the time for its SVD are there"
        )
    layer.bias = None
    if isinstance(module, nn.Linear) and len(input_shape) == 1:
        matrix = layer.weight
    else:
        identity = torch.eye(columns, dtype=zero.dtype, device=zero.device)
        matrix = layer(identity.reshape(columns, *input_shape)).flatten(1).mT.contiguous()
    if tolerance is None:
        # Of the weights' own dtype: in float64 the rounding of a float32 weight would pass for rank.
        tolerance = max(matrix.shape) * torch.finfo(module.weight.dtype).eps
    try:
        return AffineMap(path, matrix, bias, four_spaces(matrix, tolerance))
    except ValueError as error:
        raise ValueError(f"{type(module).__name__} at {path!r}: {error}") from error
