"""Spectral neurons: the singular triplets of a layer's weights, in both flattenings of `svr` (Sections 2.1, 4.4)."""

from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from paperlib.subspaces.layers import LayerError
from paperlib.svd.triplets import with_signs
from paperlib.unfolding import Convolution

Side = Literal["svr", "co_svr"]


@dataclass(frozen=True)
class SpectralNeurons:
    """The M spectral neurons of one layer, float64, singular values strictly positive and decreasing.

    ``U`` ``(c_out, q, M)`` holds the output representations and ``V`` ``(c_in, k, M)`` the input representations. In
    the SVR the kernel belongs to the input: ``q = 1`` and ``k`` is the number of kernel entries of one channel. In
    the co-SVR it belongs to the output: ``k = 1``. For a fully connected layer both are 1 and the two are the same.
    In each column of V the entry of largest magnitude is positive. ``side`` is ``"svr"`` or ``"co_svr"``.
    """

    U: Tensor
    S: Tensor
    V: Tensor
    side: Side

    def __len__(self) -> int:
        return len(self.S)


def spectral_neurons(
    layer: nn.Module, side: Side = "svr", *, count: int | None = None, tolerance: float | None = None
) -> SpectralNeurons:
    """Decompose a fully connected layer or a 1-D to 3-D convolution, grouped or not (`svr`, Sections 2.1, 4.1, 4.4).

    The SVR flattens a filter to a row, ``(c_out, c_in k)``; the co-SVR a kernel's places to the output,
    ``(c_out k, c_in)``. Of a grouped convolution the weights across groups are zero. ``count`` keeps the largest
    ones; ``tolerance`` is that of the rank, relative to the largest value, by default as `four_spaces` has it.

    Raises ``LayerError`` for another layer, ``ValueError`` for weights that are not finite or settings out of range.
    """
    weight = _channels(layer)
    if side not in ("svr", "co_svr"):
        raise ValueError(f"side is {side!r}; expected svr or co_svr")
    if count is not None and count < 1:
        raise ValueError(f"count is {count}; expected at least one spectral neuron")
    wrong = int((~torch.isfinite(weight)).sum())
    if wrong:
        raise ValueError(f"{wrong} of the {weight.numel()} weights are NaN or infinite")
    c_out, c_in, k = weight.shape
    written, read = (1, k) if side == "svr" else (k, 1)
    matrix = weight.flatten(1) if side == "svr" else weight.permute(0, 2, 1).reshape(c_out * k, c_in)
    if tolerance is None:
        tolerance = max(matrix.shape) * torch.finfo(weight.dtype).eps
    U, S, Vh = torch.linalg.svd(matrix.double(), full_matrices=False)
    rank = int((S > tolerance * S[0]).sum())
    kept = rank if count is None else min(count, rank)
    U, Vh = with_signs(U[:, :kept], Vh[:kept])
    return SpectralNeurons(U.reshape(c_out, written, kept), S[:kept], Vh.mT.reshape(c_in, read, kept), side)


def _channels(layer: nn.Module) -> Tensor:
    """Weights as ``(c_out, c_in, k)``, zero across the groups of a convolution."""
    if isinstance(layer, nn.Linear):
        return layer.weight.detach().unsqueeze(2)
    if not isinstance(layer, Convolution):
        raise LayerError(
            f"{type(layer).__name__} has no spectral neurons; supported are Linear, Conv1d, Conv2d and Conv3d"
        )
    weight = layer.weight.detach().flatten(2)
    c_out, shared, k = weight.shape
    full = weight.new_zeros(c_out, layer.in_channels, k)
    rows = c_out // layer.groups
    for group in range(layer.groups):
        full[group * rows : (group + 1) * rows, group * shared : (group + 1) * shared] = weight[
            group * rows : (group + 1) * rows
        ]
    return full


def compose(neurons: SpectralNeurons, kernel: tuple[int, ...]) -> Tensor:
    """The weights ``(c_out, c_in, *kernel)`` that the neurons add up to; all of them give the layer back.

    Raises ``ValueError`` where ``kernel`` has another number of entries than the neurons' representations.
    """
    U, V = neurons.U, neurons.V
    if prod(kernel) != U.shape[1] * V.shape[1]:
        raise ValueError(f"a kernel {tuple(kernel)} has {prod(kernel)} entries, the neurons {U.shape[1] * V.shape[1]}")
    return torch.einsum("oqm,m,ikm->oiqk", U, neurons.S, V).reshape(len(U), len(V), *kernel)
