"""A network run as far as one of its layers, with or without gradients, and what the layer's linear map gives there."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from paperlib.models import evaluating
from paperlib.subspaces.layers import LayerError, Linear


class _Reached(Exception):
    """Ends a forward pass at the layer that was asked for."""


def layer_output(model: nn.Module, path: str, images: Tensor) -> Tensor:
    """The output of the layer at ``path``: ``(batch, channels, *positions)``, or ``(batch, features)`` where flat.

    Of a fully connected or convolutional layer it is the linear map alone, ``Y = W * X`` without the bias (`convsvd`,
    eq. 1); of any other layer what the layer gives. The model runs in evaluation mode on the device of its weights and
    no further than to this layer, of which the first run counts. Gradients reach ``images`` where they ask for them.
    Nothing that the model does in place afterwards changes the result. A fully connected layer may read sequences
    ``(batch, places, features)``: their places are its positions.

    Raises ``LayerError`` for a layer that the model does not have or does not run, and ``ValueError`` where the model
    cannot run on images of this shape.
    """
    layer, found = layer_at(model, path), []

    def seen(_layer: nn.Module, _inputs: tuple, output: Tensor) -> None:
        found.append(_without_bias(layer, output))
        raise _Reached

    handle = layer.register_forward_hook(seen)
    try:
        with evaluating(model):
            model(images.to(device_of(model)))
    except _Reached:
        return found[0]
    except RuntimeError as error:
        raise ValueError(
            f"{type(model).__name__} cannot run on images {tuple(images.shape[1:])} as far as {path}: {error}"
        ) from error
    finally:
        handle.remove()
    raise LayerError(f"{type(model).__name__} has a layer {path!r} but does not run it")


def layer_outputs(model: nn.Module, path: str, images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """`layer_output` for batch after batch of the images ``(count, *shape)``, without gradients.

    Raises ``ValueError`` for no images or a batch size below 1, and what `layer_output` raises.
    """
    if batch_size < 1 or not len(images):
        raise ValueError(f"{len(images)} images in batches of {batch_size}; expected at least one of each")
    for part in images.split(batch_size):
        with torch.no_grad():
            found = layer_output(model, path, part)
        # Not within: what is done with it between two batches is not ours to keep from gradients.
        yield found


def layer_at(model: nn.Module, path: str) -> nn.Module:
    """The layer at ``path``, such as ``"features.7"``; raises ``LayerError`` with the paths there are."""
    layers = {name: module for name, module in model.named_modules() if name and not list(module.children())}
    if path not in layers:
        raise LayerError(f"{type(model).__name__} has no layer {path!r}; its layers are: {', '.join(layers) or 'none'}")
    return layers[path]


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's weights."""
    return next(model.parameters()).device


def _without_bias(layer: nn.Module, output: Tensor) -> Tensor:
    if isinstance(layer, nn.Linear):
        # Behind the batch there may be a sequence, whose places stand before the features.
        output = output.movedim(-1, 1)
    if not isinstance(layer, Linear) or layer.bias is None:
        # A copy: an activation behind the layer may work in place.
        return output.clone()
    return output - layer.bias.reshape(-1, *[1] * (output.dim() - 2))
