"""What the paper's small network is made of, and which digits it takes for which (`convsvd`, Section 4.2)."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from paperlib.datasets import ImageData
from paperlib.hypergraphs import signal_layers
from paperlib.models import evaluating
from paperlib.svr.images.layer_inputs import input_shapes


@dataclass(frozen=True)
class LayerShape:
    """A layer's tensors by their shapes.

    ``weight`` is that of the parameter, ``unfolding`` ``(c_out, c_in k)`` that of the output unfolding, ``fields``
    ``(c_in k, positions)`` that of the receptive fields of one image, ``output`` that of the result without the batch.
    ``values`` is the number of singular values, ``parameters`` counts weights and biases.
    """

    path: str
    weight: tuple[int, ...]
    unfolding: tuple[int, int]
    fields: tuple[int, int]
    output: tuple[int, ...]
    values: int
    parameters: int


def layer_shapes(model: nn.Module, images: Tensor) -> tuple[LayerShape, ...]:
    """Shapes of all fully connected layers and convolutions without groups, in the order in which the model runs them.

    Raises what `paperlib.svr.images.layer_inputs.input_shapes` raises, which runs the model on one of ``images``.
    """
    layers = signal_layers(model)
    return tuple(_shape(path, layers[path], entering) for path, entering in input_shapes(model, images, layers).items())


def _shape(path: str, layer: nn.Module, entering: tuple[int, ...]) -> LayerShape:
    with torch.no_grad():
        output = tuple(layer(layer.weight.new_zeros(1, *entering)).shape[1:])
    rows, columns = layer.weight.shape[0], prod(layer.weight.shape[1:])
    parameters = sum(parameter.numel() for parameter in layer.parameters())
    fields = (columns, prod(output[1:]))
    return LayerShape(path, tuple(layer.weight.shape), (rows, columns), fields, output, min(rows, columns), parameters)


def confusions(model: nn.Module, data: ImageData, *, batch_size: int = 500) -> Tensor:
    """How many images of each class the model takes for each class: int64 ``(classes, outputs)``, a row for each class.

    The largest of the model's outputs decides, in evaluation mode on the device of its weights.
    """
    device = next(model.parameters()).device
    with evaluating(model), torch.no_grad():
        logits = torch.cat([model(batch.to(device)).cpu() for batch in data.images.split(batch_size)])
    outputs = logits.shape[1]
    return torch.bincount(data.labels * outputs + logits.argmax(1), minlength=data.classes * outputs).reshape(
        data.classes, outputs
    )
