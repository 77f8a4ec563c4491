"""Fully connected networks of any widths."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "selu": nn.SELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
}


def fully_connected(
    widths: Sequence[int], activation: str = "selu", last_activation: bool = False, bias: bool = False
) -> nn.Sequential:
    """Linear layers ``linear1``, ``linear2``, ... between the ``widths`` (input first), after flattening the input.

    ``(batch, *shape)`` of ``widths[0]`` entries an image to ``(batch, widths[-1])``. The activation (a name in
    ``ACTIVATIONS``) stands between the layers, and after the last one too where ``last_activation``.

    Raises ``ValueError`` for fewer than two widths, a width below 1 or an unknown activation.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths are {tuple(widths)}; expected two or more positive numbers, the input's first")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; expected one of {', '.join(ACTIVATIONS)}")
    layers = OrderedDict(flatten=nn.Flatten())
    count = len(widths) - 1
    for number, (before, after) in enumerate(pairwise(widths), start=1):
        layers[f"linear{number}"] = nn.Linear(before, after, bias=bias)
        if number < count or last_activation:
            layers[f"{activation}{number}"] = ACTIVATIONS[activation]()
    return nn.Sequential(layers)
