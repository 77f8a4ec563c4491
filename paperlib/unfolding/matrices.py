"""A convolution's weights as small matrices that do not depend on the size of its input."""

import torch
from torch import Tensor


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
    return torch.block_diag(*_parts(weight.flatten(1), groups))


def input_unfolding(weight: Tensor, groups: int = 1) -> Tensor:
    """All that an input channel is multiplied by as a column: ``(c_out k, c_in)``, the counterpart of the other.

    Rows are ordered by output channel, then by place in the kernel: the matrix takes the channels of one input pixel
    to what the pixel adds to each output that sees it. With groups, a column is zero at the outputs of other groups.
    Raises ``ValueError`` where ``groups`` does not divide ``c_out``.
    """
    columns = weight.flatten(2).transpose(1, 2)
    return torch.block_diag(*(part.flatten(0, 1) for part in _parts(columns, groups)))


def slices(weight: Tensor, groups: int = 1) -> Tensor:
    """The matrix of channels at each place of the kernel: ``(k, c_out, c_in)``, the third choice of matrices.

    With groups, entries between channels of different groups are zero.
    Raises ``ValueError`` where ``groups`` does not divide ``c_out``.
    """
    places = weight.flatten(2).movedim(2, 0)
    if groups == 1:
        return places
    return torch.stack([torch.block_diag(*_parts(place, groups)) for place in places])


def _parts(rows: Tensor, groups: int) -> tuple[Tensor, ...]:
    if groups < 1 or rows.shape[0] % groups:
        raise ValueError(f"{rows.shape[0]} filters cannot be shared out to {groups} groups")
    return rows.chunk(groups)
