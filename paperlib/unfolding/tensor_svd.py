"""The tensor SVD: a convolution as three, by the SVD of its output unfolding (`convsvd`, eq. 14)."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from paperlib.unfolding.convolution import convolution_matrices
from paperlib.unfolding.receptive_fields import Convolution


def tensor_svd(layer: Convolution, *, full: bool = False) -> nn.Sequential:
    """Three convolutions ``V``, ``S`` and ``U`` that are together the layer, to the precision of its weights.

    ``V`` has the right singular vectors as its filters and the layer's kernel size, stride, padding, dilation and
    groups; ``S`` multiplies by the singular values and ``U`` by the left singular vectors, both with kernels of one
    entry; the bias is that of ``U``. Singular values decrease within each group. Reduced to ``min(c_out, c_in k)``
    singular triplets in each group, unless ``full``, as the paper prints it: then ``V`` has ``c_in k`` filters, and
    ``U`` is square. The SVD is in float64, the weights of the three have the layer's dtype and need no gradient.

    Raises ``UnfoldingError`` for a layer that is no convolution, and for weights that are not finite.
    """
    weight, groups = convolution_matrices(layer).weight, layer.groups
    parts = weight.double().flatten(1).unflatten(0, (groups, -1))
    U, values, Vh = torch.linalg.svd(parts, full_matrices=full)
    S = torch.zeros(groups, U.shape[2], Vh.shape[1], dtype=torch.float64, device=weight.device)
    S.diagonal(dim1=1, dim2=2).copy_(values)
    point = {"kernel_size": tuple(1 for _ in layer.kernel_size)}
    whole = {
        "kernel_size": layer.kernel_size,
        "stride": layer.stride,
        "padding": layer.padding,
        "dilation": layer.dilation,
        "padding_mode": layer.padding_mode,
    }
    three = OrderedDict(
        V=_convolution(layer, Vh.flatten(0, 1).unflatten(1, weight.shape[1:]), None, whole),
        S=_convolution(layer, _with_point(S, layer), None, point),
        U=_convolution(layer, _with_point(U, layer), layer.bias, point),
    )
    return nn.Sequential(three).requires_grad_(False)


def _with_point(matrices: Tensor, layer: Convolution) -> Tensor:
    """``(groups, rows, columns)`` as weights of a convolution with kernels of one entry."""
    return matrices.flatten(0, 1).reshape(-1, matrices.shape[2], *(1 for _ in layer.kernel_size))


def _convolution(layer: Convolution, weight: Tensor, bias: Tensor | None, settings: dict) -> nn.Module:
    made = type(layer)(
        weight.shape[1] * layer.groups,
        len(weight),
        groups=layer.groups,
        bias=bias is not None,
        dtype=layer.weight.dtype,
        device=layer.weight.device,
        **settings,
    )
    with torch.no_grad():
        made.weight.copy_(weight)
        if bias is not None:
            made.bias.copy_(bias)
    return made
