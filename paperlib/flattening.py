"""How a tensor becomes a vector: this library's order, the order of `generalizability`, and its pooling regions."""

from itertools import product

import torch
from torch import Tensor


def paper_vec(tensor: Tensor) -> Tensor:
    """``vec(X)`` of `generalizability` (Section 2.1) of one tensor ``(channels, m, n, d)`` or ``(channels, m, n)``.

    The paper has the channels last and ``x[j + n i + m n k + m n d c] = X[i, j, k, c]``: the second spatial axis runs
    fastest, then the first, then the third, then the channel. This library flattens row-major with channels first.
    """
    return tensor.permute(_paper_order(tensor.dim())).reshape(-1)


def paper_tensor(vector: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The inverse of `paper_vec`: a vector back to a tensor of ``shape`` ``(channels, m, n[, d])``."""
    order = _paper_order(len(shape))
    permuted = vector.reshape([shape[axis] for axis in order])
    return permuted.permute([order.index(axis) for axis in range(len(shape))])


def pooling_regions(coarse: tuple[int, int, int], *, corrected: bool = True) -> Tensor:
    """Flat fine-grid indices of the 2 x 2 x 2 region of each coarse voxel: int64 ``(m n d, 8)``.

    A region of the coarse grid ``(m, n, d)`` is ``{(2i + a, 2j + b, 2k + c)}``. The fine grid has rows of ``2n`` and
    slices of ``4mn`` elements, so its flat indices are ``j + 2n i + 4mn k`` (``corrected``). Definition 1 of
    `generalizability` prints the coarse strides ``n`` and ``mn``, with which the regions overlap and leave gaps.
    """
    m, n, d = coarse
    row, slice_ = (2 * n, 4 * m * n) if corrected else (n, m * n)
    # The coarse voxels in the order of the paper's vec: j fastest, then i, then k.
    return torch.tensor(
        [
            [(2 * j + b) + row * (2 * i + a) + slice_ * (2 * k + c) for a, b, c in product(range(2), repeat=3)]
            for k in range(d)
            for i in range(m)
            for j in range(n)
        ]
    )


def _paper_order(axes: int) -> list[int]:
    # Slowest first: channel, third spatial axis (where there is one), first, second.
    return [0, 3, 1, 2] if axes == 4 else [0, 1, 2]
