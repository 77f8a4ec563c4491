"""The receptive fields of a convolution's outputs, and how they are embedded in its input."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d


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


def embedded_fields(layer: Convolution, fields: Tensor, input_size: tuple[int, ...]) -> Tensor:
    """The adjoint of `receptive_fields`: each field at its place in an input, summed where fields overlap.

    ``fields`` is ``(batch, positions, c_in k)``, the result ``(batch, c_in, *input_size)``. For a single position it
    is what `convsvd` (Section 3) writes as the inverse of taking a receptive field: taking the field of an embedded
    one gives it back, while the other way round is the orthogonal projection on the inputs that vanish elsewhere.
    """
    x = fields.new_zeros(len(fields), layer.in_channels, *input_size)
    _, adjoint = torch.func.vjp(lambda inputs: receptive_fields(layer, inputs), x)
    return adjoint(fields)[0]


def _padded(layer: Convolution, x: Tensor) -> Tensor:
    # torch keeps the widths in the order of F.pad, the last axis first, whatever form the padding was given in.
    widths = layer._reversed_padding_repeated_twice
    return F.pad(x, widths, mode="constant" if layer.padding_mode == "zeros" else layer.padding_mode)
