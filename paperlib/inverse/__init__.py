"""The inverse of networks with invertible activations (`vectorspaces`, Section 2.4), and how far it reaches.

A network with square orthogonal weights returns its input:

>>> import torch
>>> from torch import nn
>>> from paperlib.inverse import invert
>>> model = nn.Sequential(nn.Linear(4, 4), nn.SELU(), nn.Linear(4, 4)).double()
>>> for layer in (model[0], model[2]):
...     _ = nn.init.orthogonal_(layer.weight)
>>> x = torch.tensor([[0.5, -1.0, 2.0, 0.25]], dtype=torch.float64)
>>> found = invert(model, model(x), input_shape=(4,))
>>> [step.kind for step in found.linear_steps]
['exact', 'exact']
>>> bool((found.inputs - x).norm() < 1e-10 * x.norm())
True
"""

from paperlib.inverse.activations import (
    SUPPORTED_ACTIVATIONS,
    ActivationRange,
    InverseError,
    NotInvertibleError,
    OutOfRangeError,
    activation_range,
    invert_activation,
    outside_range,
)
from paperlib.inverse.box import BoxSolution, box_least_squares
from paperlib.inverse.constrained import Round
from paperlib.inverse.network import ActivationStep, Inversion, LinearStep, invert
from paperlib.inverse.stability import Stability, stability

__all__ = [
    "SUPPORTED_ACTIVATIONS", "ActivationRange", "ActivationStep", "BoxSolution", "InverseError", "Inversion",
    "LinearStep", "NotInvertibleError", "OutOfRangeError", "Round", "Stability", "activation_range",
    "box_least_squares", "invert", "invert_activation", "outside_range", "stability",
]  # fmt: skip
