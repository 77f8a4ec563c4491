"""The inputs of some of a network's layers, batch by batch, while it runs."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import torch
from torch import Tensor, nn

from paperlib.hooks import watching_inputs
from paperlib.models import evaluating
from paperlib.subspaces.layers import LayerError, linear_layer


class _Seen(Exception):
    """Ends a forward pass when all of the chosen layers have had their inputs."""


def input_shapes(model: nn.Module, images: Tensor, paths: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Shapes, without the batch, of the inputs that linear layers get, in the order in which the model runs them.

    Raises ``LayerError`` for a path that the model does not have, does not run, or runs more than once, and
    ``ValueError`` where the model cannot run on images of this shape.
    """
    layers = {path: linear_layer(model, path) for path in paths}
    runs: dict[str, list[tuple[int, ...]]] = {}
    try:
        with watching_inputs(layers, lambda path, x: runs.setdefault(path, []).append(tuple(x.shape[1:]))):
            _run(model, images[:1])
    except RuntimeError as error:
        raise ValueError(f"{type(model).__name__} cannot run on images {tuple(images.shape[1:])}: {error}") from error
    wrong = [f"{path} ({len(runs.get(path, []))} times)" for path in layers if len(runs.get(path, [])) != 1]
    if wrong:
        raise LayerError(f"{type(model).__name__} should run each chosen layer once, but runs {', '.join(wrong)}")
    return {path: shapes[0] for path, shapes in runs.items()}


def visit_inputs(
    model: nn.Module,
    images: Tensor,
    paths: Sequence[str],
    visit: Callable[[str, slice, Tensor], None],
    *,
    batch_size: int = 50,
) -> None:
    """Call ``visit(path, part, x)`` with the input ``x`` of each linear layer for ``images[part]``, part after part.

    The model runs once on each image ``(count, *shape)``, in evaluation mode, on the device of its weights, and no
    further than until it has come to each of the layers, which `input_shapes` checks that it does. ``x`` is valid
    during the call only: the model may overwrite it.

    Raises ``LayerError`` for a path that the model does not have, and ``ValueError`` for a batch size below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected a positive number of images")
    layers = {path: linear_layer(model, path) for path in paths}

    def seen(path: str, x: Tensor, part: slice, waiting: set[str]) -> None:
        visit(path, part, x)
        waiting.discard(path)
        if not waiting:
            raise _Seen

    for start in range(0, len(images), batch_size):
        part = slice(start, min(start + batch_size, len(images)))
        with suppress(_Seen), watching_inputs(layers, partial(seen, part=part, waiting=set(layers))):
            _run(model, images[part])


def _run(model: nn.Module, images: Tensor) -> None:
    weight = next(model.parameters())
    with evaluating(model), torch.no_grad():
        model(images.to(weight.device))
