"""The four fundamental spaces of a network's linear layers, and what they keep and reject of an image.

>>> import torch
>>> from paperlib.subspaces import four_spaces, project, residual
>>> spaces = four_spaces(torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))
>>> spaces.rank, spaces.condition_number, tuple(spaces.null_space.shape)
(2, 2.0, (3, 1))
>>> x = torch.tensor([3.0, 4.0, 5.0])
>>> project(spaces.row_space, x).tolist(), residual(spaces.row_space, x).tolist()
([3.0, 4.0, 0.0], [0.0, 0.0, 5.0])
"""

from paperlib.subspaces.layers import (
    LayerError,
    Reading,
    layer_matrix,
    layer_vectors,
    linear_layer,
    linear_layers,
)
from paperlib.subspaces.network import LayerRejection, SplitInput, layer_input_shapes, layer_rejections, split_input
from paperlib.subspaces.spaces import (
    FourSpaces,
    energy,
    four_spaces,
    neuron_basis,
    orthogonal_complement,
    overlap,
    project,
    rejected_energy,
    residual,
)

__all__ = [
    "FourSpaces", "LayerError", "LayerRejection", "Reading", "SplitInput", "energy", "four_spaces",
    "layer_input_shapes", "layer_matrix", "layer_rejections", "layer_vectors", "linear_layer", "linear_layers",
    "neuron_basis", "orthogonal_complement", "overlap", "project", "rejected_energy", "residual", "split_input",
]  # fmt: skip
