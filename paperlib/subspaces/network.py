"""What each layer of a network rejects of an image, measured at the layer's own input."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.hooks import watching_inputs
from paperlib.models import evaluating
from paperlib.operators import OperatorError
from paperlib.subspaces.layers import LayerError, Reading, layer_matrix, layer_vectors, linear_layer, linear_layers
from paperlib.subspaces.spaces import FourSpaces, energy, energy_share, four_spaces, project
from paperlib.svd import SvdError


@dataclass(frozen=True)
class LayerRejection:
    """What one layer's matrix does not read of its inputs.

    ``rejected`` ``(images,)`` float64 in [0, 1]: the share of the energy of the layer's input vectors that lies in the
    matrix's null space. ``chance`` is what a random subspace of the same dimension would reject: ``1 - rank / n``.
    ``shape`` is the matrix's, ``input_shape`` that of the layer's input without the batch.
    """

    path: str
    kind: str
    input_shape: tuple[int, ...]
    shape: tuple[int, int]
    rank: int
    condition_number: float
    rejected: Tensor

    @property
    def chance(self) -> float:
        return 1 - self.rank / self.shape[1]


def layer_rejections(
    model: nn.Module,
    images: Tensor,
    *,
    reading: Reading = "unfolding",
    layers: Sequence[str] | None = None,
    tolerance: float | None = None,
    batch_size: int = 100,
) -> dict[str, LayerRejection]:
    """For each linear layer that the network runs, in that order, the share of its input's energy that it rejects.

    ``images`` is ``(count, *shape)``; ``layers`` names some of the layers by path, all where None; ``reading`` is that
    of `layer_matrix`, ``tolerance`` that of `four_spaces`. A layer that runs several times counts all its inputs.

    Raises ``LayerError`` for a path that the model does not have or run, or a model that runs no linear layer, and what
    `layer_matrix` and `four_spaces` raise.

    In the book: thm-dropped.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected a positive number of images")
    paths = list(layers) if layers is not None else list(linear_layers(model))
    chosen = {path: linear_layer(model, path) for path in paths}
    shapes = layer_input_shapes(model, images[:1], chosen)
    idle = [path for path in chosen if path not in shapes]
    if not shapes or (layers is not None and idle):
        raise LayerError(
            f"{type(model).__name__} does not run these linear layers: {', '.join(idle) or '(it has none)'}"
        )
    spaces = {path: _spaces(path, chosen[path], reading, shapes[path], tolerance) for path in shapes}
    sums = {path: torch.zeros(2, len(images), dtype=torch.float64) for path in shapes}
    for start in range(0, len(images), batch_size):
        part = slice(start, min(start + batch_size, len(images)))

        def add(path: str, x: Tensor, part: slice = part) -> None:
            count = part.stop - part.start
            if len(x) != count or (reading == "map" and x.shape[1:].numel() % spaces[path].shape[1]):
                raise LayerError(
                    f"layer {path} gets {len(x)} inputs of shape {tuple(x.shape[1:])} for {count} images; what it "
                    f"rejects of each image can be told where it gets one of shape {shapes[path]}"
                )
            sums[path][:, part] += _energies(chosen[path], x, reading, spaces[path])

        _run(model, images[part], {path: chosen[path] for path in shapes}, add)
    return {
        path: LayerRejection(
            path,
            type(chosen[path]).__name__,
            shapes[path],
            found.shape,
            found.rank,
            found.condition_number,
            energy_share(*sums[path]),
        )
        for path, found in spaces.items()
    }


@dataclass(frozen=True)
class SplitInput:
    """A layer's inputs ``(count, *shape)`` float64 as the sum of what its map reads and what it rejects.

    ``kept`` lies in the row space of the map, ``rejected`` in its null space; their energies add.
    """

    inputs: Tensor
    kept: Tensor
    rejected: Tensor


def split_input(model: nn.Module, images: Tensor, path: str, *, tolerance: float | None = None) -> SplitInput:
    """Split what the layer at ``path`` is given when the model runs on ``images`` (`vectorspaces`, Section 2.1).

    The matrix is that of the layer's whole map. Raises what `layer_rejections` raises, and ``LayerError`` for a layer
    that does not run.
    """
    layer, seen = linear_layer(model, path), []
    _run(model, images, {path: layer}, lambda _path, x: seen.append(x.clone()))
    if not seen:
        raise LayerError(f"{type(model).__name__} does not run its layer {path}")
    inputs = torch.cat(seen).double()
    spaces = _spaces(path, layer, "map", tuple(inputs.shape[1:]), tolerance)
    vectors = layer_vectors(layer, inputs, "map")
    kept = project(spaces.row_space.to(inputs.device), vectors).reshape(inputs.shape)
    return SplitInput(inputs, kept, inputs - kept)


def layer_input_shapes(model: nn.Module, images: Tensor, layers: dict[str, nn.Module]) -> dict[str, tuple[int, ...]]:
    """Shapes, without the batch, of the inputs that the layers get when the model runs, in the order of running."""
    shapes: dict[str, tuple[int, ...]] = {}
    _run(model, images, layers, lambda path, x: shapes.setdefault(path, tuple(x.shape[1:])))
    return shapes


def _spaces(path: str, layer: nn.Module, reading: Reading, shape: tuple[int, ...], tolerance) -> FourSpaces:
    try:
        return four_spaces(layer_matrix(layer, reading, shape), tolerance)
    except (ValueError, SvdError, OperatorError) as error:
        raise type(error)(f"layer {path}: {error}") from error


def _energies(layer: nn.Module, x: Tensor, reading: Reading, spaces: FourSpaces) -> Tensor:
    """Rejected and total energy ``(2, batch)`` of a layer's inputs."""
    vectors = layer_vectors(layer, x, reading).double()
    total = energy(vectors).sum(1)
    if spaces.rank == spaces.shape[1]:
        # The null space is zero: what a subtraction would leave is rounding.
        return torch.stack([torch.zeros_like(total), total]).cpu()
    kept = energy(vectors @ spaces.row_space.to(vectors.device)).sum(1)
    return torch.stack([(total - kept).clamp_min(0), total]).cpu()


def _run(model: nn.Module, images: Tensor, layers: dict[str, nn.Module], visit) -> None:
    """Run the model in evaluation mode; ``visit(path, x)`` sees the input of each layer before it changes."""
    with watching_inputs(layers, visit), evaluating(model), torch.no_grad():
        model(images)
