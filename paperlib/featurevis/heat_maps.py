"""Where in an image a direction has its signal: scaled projections of the receptive fields (`convsvd`, Section 6.2)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paperlib.featurevis.objectives import checked_directions, directions
from paperlib.featurevis.running import layer_outputs


def projection_heat_maps(
    model: nn.Module, path: str, images: Tensor, chosen: Sequence[int], *, batch_size: int = 50
) -> Tensor:
    """Signals ``s_i v_i^T Psi(X)`` on the layer's output grid: ``(images, n, h, w)`` in the model's dtype, on the CPU.

    The sum of a map is the objective of equation 19, its mean the entry of the signal vector. Of a fully connected
    layer, whose whole input is one receptive field, the maps are numbers: ``(images, n)``.

    Raises ``LayerError`` and ``IndexError`` for a layer or direction that is not there, and what `layer_outputs`
    raises.
    """
    U = directions(model, path).U.squeeze(1)
    U = U[:, checked_directions(chosen, path, U.shape[1])]
    # u^T Y equals s v^T Psi(X), and there are fewer channels than entries of a receptive field.
    maps = layer_outputs(model, path, images, batch_size)
    return torch.cat([torch.einsum("cn,bc...->bn...", U.to(y), y).cpu() for y in maps])
