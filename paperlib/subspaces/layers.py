"""The matrices of a layer: of its kernels, of its filters, or of the whole map; and the vectors that each acts on."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from paperlib.operators import FrozenNetwork, freeze
from paperlib.svd import dense_matrices
from paperlib.unfolding import Convolution, kernel_stack, output_unfolding, receptive_fields

Reading = Literal["kernels", "unfolding", "map"]

_TRANSPOSED = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
Linear = nn.Linear | Convolution | _TRANSPOSED


class LayerError(ValueError):
    """A layer that does not exist, or that has no matrix in the reading asked for; the message names what there is."""


def linear_layers(model: nn.Module) -> dict[str, nn.Module]:
    """The fully connected and convolutional layers of a model by path, in the order of its modules."""
    return {path: module for path, module in model.named_modules() if isinstance(module, Linear)}


def linear_layer(model: nn.Module, path: str) -> nn.Module:
    """The linear layer at ``path``, such as ``"layer1.0.conv1"``; raises ``LayerError`` with the paths there are."""
    layers = linear_layers(model)
    if path not in layers:
        known = ", ".join(layers) or "none"
        raise LayerError(f"{type(model).__name__} has no linear layer {path!r}; its linear layers are: {known}")
    return layers[path]


def layer_matrix(layer: nn.Module, reading: Reading = "unfolding", input_shape: tuple[int, ...] = ()) -> Tensor:
    """The matrix of a linear layer in one of three readings, in the weights' dtype.

    - ``"kernels"`` ``(c_out c_in, k)``: each kernel is a row, the simplified view of `vectorspaces`, Section 2.3;
    - ``"unfolding"`` ``(c_out, c_in k)``: each filter is a row, the matrix that acts on a receptive field (`convsvd`);
    - ``"map"`` ``(outputs, inputs)``: the matrix of the whole layer on one image of ``input_shape`` without the batch.

    A fully connected layer has one matrix, its weights, in every reading. The bias has no part in any of them.

    Raises ``LayerError`` for a layer without such a matrix, and ``SvdError`` for a map whose smaller side is too large.
    """
    _check_reading(reading)
    if isinstance(layer, nn.Linear):
        return layer.weight.detach()
    if reading == "map" and isinstance(layer, Linear):
        return _map_matrix(layer, input_shape)
    _check_convolution(layer, reading)
    weight = layer.weight.detach()
    return kernel_stack(weight) if reading == "kernels" else output_unfolding(weight, layer.groups)


def layer_vectors(layer: nn.Module, x: Tensor, reading: Reading = "unfolding") -> Tensor:
    """The vectors of a layer's input that `layer_matrix` acts on: ``(batch, count, n)`` for ``x`` ``(batch, ...)``.

    One for each receptive field and channel (``"kernels"``), each receptive field (``"unfolding"``), or each image
    (``"map"``). Padding counts as part of a receptive field, and overlapping fields count a pixel several times.

    Raises ``LayerError`` for a layer without a matrix in this reading.
    """
    _check_reading(reading)
    if isinstance(layer, nn.Linear):
        return x.reshape(len(x), -1, layer.in_features)
    if reading == "map" and isinstance(layer, Linear):
        return x.flatten(1).unsqueeze(1)
    _check_convolution(layer, reading)
    fields = receptive_fields(layer, x)
    if reading == "unfolding":
        return fields
    return fields.unflatten(2, (layer.in_channels, -1)).flatten(1, 2)


def _check_reading(reading: str) -> None:
    if reading not in get_args(Reading):
        raise LayerError(f"reading is {reading!r}; expected one of {', '.join(get_args(Reading))}")


def _check_convolution(layer: nn.Module, reading: str) -> None:
    if not isinstance(layer, Convolution):
        supported = "map" if isinstance(layer, _TRANSPOSED) else "none"
        raise LayerError(f"{type(layer).__name__} has no matrix in reading {reading!r}; readings it has: {supported}")


def _map_matrix(layer: nn.Module, input_shape: tuple[int, ...]) -> Tensor:
    if not input_shape:
        raise LayerError(f"the map of a {type(layer).__name__} depends on the size of its input; give input_shape")
    zero = torch.zeros(1, *input_shape, dtype=layer.weight.dtype, device=layer.weight.device)
    frozen: FrozenNetwork = freeze(layer, zero)
    return dense_matrices(frozen)[0]
