"""From a model to its frozen networks: the order of its layers found once, then frozen at any images."""

import torch
from torch import Tensor, nn

from paperlib.operators.errors import NotFiniteError
from paperlib.operators.frozen import FrozenNetwork
from paperlib.operators.recording import Recorder
from paperlib.operators.tracing import check_weights, compare, trace


def freeze(model: nn.Module, images: Tensor) -> FrozenNetwork:
    """Freeze a piecewise linear network at a batch of images ``(batch, *domain_shape)``.

    The model is any ``nn.Module`` (a single layer too) in evaluation mode, of one input and one output, made of
    supported layers (`paperlib.operators.supported_layers`); torch.fx finds the order in which it applies them.

    Raises ``UnsupportedLayerError`` (with the layer's path) for a layer without an adjoint here or a forward function
    that depends on the input's values; ``ShapeError`` where a layer refuses the input's shape or dtype;
    ``NotFiniteError`` for NaN or infinity in weights or images.
    """
    return Compiled(model).freeze(images)


class Compiled:
    """A model with its torch.fx graph, ready to be frozen at many batches."""

    def __init__(self, model: nn.Module):
        check_weights(model)
        self.model = model
        self.graph = trace(model)
        self._compared = False

    def freeze(self, images: Tensor) -> FrozenNetwork:
        """See `freeze`."""
        if not torch.isfinite(images).all():
            raise NotFiniteError("the images hold NaN or infinity; RPR and the frozen network are undefined there")
        with torch.no_grad():
            frozen = Recorder(self.model, images.detach()).run(self.graph)
            if not self._compared:
                compare(self.model, frozen)
                self._compared = True
        return frozen
