"""A convolution's weights as matrices, and the vectors that they act on.

``k`` stands for the number of entries of the kernel of one channel, such as 9 for 3x3; kernels need not be square.

>>> import torch
>>> from torch import nn
>>> layer, x = nn.Conv2d(3, 4, 3, padding=1, bias=False), torch.rand(1, 3, 5, 5)
>>> fields = receptive_fields(layer, x)
>>> fields.shape
torch.Size([1, 25, 27])
>>> y = fields @ output_unfolding(layer.weight).T
>>> torch.allclose(y.mT.unflatten(2, (5, 5)), layer(x), atol=1e-6)
True
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d


def kernel_stack(weight: Tensor) -> Tensor:
    """Each kernel of one input and one output channel as a row: ``(c_out c_in, k)`` (`vectorspaces`, Section 2.3).

    ``weight`` is ``(c_out, c_in, *kernel)``; a grouped convolution has ``c_in`` divided by its groups.
    """
    return weight.flatten(2).flatten(0, 1)


def output_unfolding(weight: Tensor, groups: int = 1) -> Tensor:
    """Each filter as a row: ``(c_out, c_in k)``, the matrix of one receptive field (`convsvd`, eq. 8).

    With groups, a filter's row is zero at the input channels that its group does not see.
    Raises ``ValueError`` where ``groups`` does not divide ``c_out``.
    """
    if weight.shape[0] % groups:
        raise ValueError(f"{weight.shape[0]} filters cannot be shared out to {groups} groups")
    parts = weight.flatten(1).chunk(groups)
    return torch.block_diag(*parts)


def receptive_fields(layer: Convolution, x: Tensor) -> Tensor:
    """The receptive fields of a convolution's outputs as rows: ``(batch, positions, c_in k)`` (`convsvd`, eq. 7).

    ``x`` is ``(batch, c_in, *spatial)``; padding (of any mode), stride and dilation are those of the layer, positions
    are in row-major order of the output. ``receptive_fields(layer, x) @ output_unfolding(weight).T`` is the
    convolution without its bias.
    """
    fields = _padded(layer, x)
    axes = range(2, x.dim())
    for axis, size, stride, dilation in zip(axes, layer.kernel_size, layer.stride, layer.dilation, strict=True):
        fields = fields.unfold(axis, dilation * (size - 1) + 1, stride)[..., ::dilation]
    spatial = len(axes)
    # (batch, c_in, *positions, *kernel) to (batch, *positions, c_in, *kernel)
    return fields.movedim(1, 1 + spatial).flatten(1, spatial).flatten(2)


def _padded(layer: Convolution, x: Tensor) -> Tensor:
    # torch keeps the widths in the order of F.pad, the last axis first, whatever form the padding was given in.
    widths = layer._reversed_padding_repeated_twice
    return F.pad(x, widths, mode="constant" if layer.padding_mode == "zeros" else layer.padding_mode)
