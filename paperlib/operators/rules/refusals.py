"""Why the layers that networks often have, and that can not be frozen, can not be: the words of the error."""

import operator

import torch
import torch.nn.functional as F
from torch import fx, nn

from paperlib.operators.rules.table import known

_ATEN = torch.ops.aten
_CURVED = "it is not piecewise linear, so that A[x] x + b[x] with its derivative A[x] would not be the output"
_PRODUCT = "a product or quotient of values that both depend on the input is not piecewise linear (a gate, attention)"

_CURVED_LAYERS = (
    nn.Softmax, nn.Softmax2d, nn.LogSoftmax, nn.Softmin, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.GELU, nn.SiLU, nn.Mish,
    nn.ELU, nn.SELU, nn.CELU, nn.Softplus, nn.Softsign, nn.Hardswish, nn.GLU, nn.LocalResponseNorm,
    nn.MultiheadAttention,
)  # fmt: skip
_CURVED_FUNCTIONS = (
    "softmax", "log_softmax", "sigmoid", "sigmoid_", "logsigmoid", "tanh", "tanh_", "gelu", "silu", "silu_", "mish",
    "elu", "elu_", "selu", "celu", "softplus", "softsign", "hardswish", "glu", "exp", "log", "sqrt", "rsqrt", "pow",
    "square", "norm", "scaled_dot_product_attention", "local_response_norm", "_softmax", "_log_softmax",
)  # fmt: skip
_PRODUCTS = ("mul", "mul_", "div", "div_", "truediv", "matmul", "mm", "bmm", "einsum")


def _named(names: tuple[str, ...]) -> set:
    places = (torch, F, operator, _ATEN)
    return {getattr(place, name) for name in names for place in places if hasattr(place, name)} | set(names)


_REASONS = {
    **dict.fromkeys(_CURVED_LAYERS, _CURVED),
    **dict.fromkeys(_named(_CURVED_FUNCTIONS), _CURVED),
    **dict.fromkeys(_named(_PRODUCTS), _PRODUCT),
}


# What may stand behind the last layer and only lays its values out.
_LAYOUT = {getattr, operator.getitem} | _named(("size", "dim", "view", "reshape", "flatten", "squeeze"))


def reason(node: fx.Node, kind) -> str:
    """Why a node of a graph is refused; ``kind`` is its layer's type or its function."""
    words = _REASONS.get(known(kind), "it has no adjoint here")
    if words is _CURVED and _is_last(node):
        words += "; it is the last layer: give the model without it (of a segmentation the logits are the output)"
    return words


def _is_last(node: fx.Node) -> bool:
    return all(reader.op == "output" or (known(reader.target) in _LAYOUT and _is_last(reader)) for reader in node.users)
