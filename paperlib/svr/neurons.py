"""Spectral neurons: the singular triplets of a layer's weights, in both flattenings of `svr` (Sections 2.1, 4.4)."""

from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from paperlib.subspaces.layers import LayerError
from paperlib.svr.decomposition import decompose
from paperlib.unfolding import Convolution

Side = Literal["svr", "co_svr"]


@dataclass(frozen=True)
class SpectralNeurons:
    """The M spectral neurons of one layer, float64, singular values strictly positive and decreasing.

    ``U`` ``(c_out, q, M)`` holds the output representations and ``V`` ``(c_in, k, M)`` the input representations. In
    the SVR the kernel belongs to the input: ``q = 1`` and ``k`` is the number of kernel entries of one channel. In
    the co-SVR it belongs to the output: ``k = 1``. For a fully connected layer both are 1 and the two are the same.
    In each column of V the entry of largest magnitude is positive. ``side`` is ``"svr"`` or ``"co_svr"``. Each neuron
    of a convolution with ``groups`` reads and writes the channels of one group alone.
    """

    U: Tensor
    S: Tensor
    V: Tensor
    side: Side
    groups: int = 1

    def __len__(self) -> int:
        return len(self.S)


def spectral_neurons(
    layer: nn.Module, side: Side = "svr", *, count: int | None = None, tolerance: float | None = None
) -> SpectralNeurons:
    """Decompose a fully connected layer or a 1-D to 3-D convolution, grouped or not (`svr`, Sections 2.1, 4.1, 4.4).

    The SVR flattens a filter to a row, ``(c_out, c_in k)``; the co-SVR a kernel's places to the output,
    ``(c_out k, c_in)``. ``count`` keeps the largest ones; ``tolerance`` is that of the rank, relative to the largest
    value, by default as `four_spaces` has it: that of the weights' own dtype.

    Raises ``LayerError`` for another layer, ``ValueError`` for weights that are not finite or settings out of range.

    In the book: thm-co-svr.
    """
    if not isinstance(layer, nn.Linear | Convolution):
        raise LayerError(
            f"{type(layer).__name__} has no spectral neurons; supported are Linear, Conv1d, Conv2d and Conv3d"
        )
    groups = getattr(layer, "groups", 1)
    return neurons_of_weights(layer.weight.detach(), side, groups=groups, count=count, tolerance=tolerance)


def neurons_of_weights(
    weights: Tensor, side: Side = "svr", *, groups: int = 1, count: int | None = None, tolerance: float | None = None
) -> SpectralNeurons:
    """The same for the weights ``(c_out, c_in)`` or ``(c_out, c_in / groups, *kernel)`` of a layer.

    Raises ``ValueError`` for weights of another shape or dtype or that are not finite, and settings out of range.
    """
    _check(weights, side, groups, count)
    matrices = _matrices(weights, side, groups)
    _, height, width = matrices.shape
    if tolerance is None:
        # As `four_spaces`: the product alone would leave nothing of a wide matrix in half precision.
        tolerance = min(groups * max(height, width) * torch.finfo(weights.dtype).eps, 0.5)
    U, S, Vh = _decomposed(matrices, tolerance, count)
    k = prod(weights.shape[2:])
    written, read = (1, k) if side == "svr" else (k, 1)
    return SpectralNeurons(U.unflatten(0, (-1, written)), S, Vh.mT.unflatten(0, (-1, read)), side, groups)


def _check(weights: Tensor, side: str, groups: int, count: int | None) -> None:
    if side not in ("svr", "co_svr"):
        raise ValueError(f"side is {side!r}; expected svr or co_svr")
    if count is not None and count < 1:
        raise ValueError(f"count is {count}; expected at least one spectral neuron")
    if not 2 <= weights.dim() <= 5 or 0 in weights.shape or not weights.is_floating_point():
        raise ValueError(
            f"weights are {tuple(weights.shape)} of {weights.dtype}; expected floating-point numbers (c_out, c_in), or "
            "(c_out, c_in, *kernel) with a kernel of one to three axes"
        )
    if groups < 1 or len(weights) % groups:
        raise ValueError(f"{len(weights)} output channels cannot be shared out to {groups} groups")
    # The extremes tell first, in one pass and without a copy.
    if not torch.isfinite(torch.stack(weights.aminmax())).all():
        wrong = int((~torch.isfinite(weights)).sum())
        raise ValueError(f"{wrong} of the {weights.numel()} weights are NaN or infinite")


def _matrices(weights: Tensor, side: Side, groups: int) -> Tensor:
    """The matrix of each group, ``(groups, rows, columns)`` float64, in the flattening of the side."""
    parts = weights.reshape(groups, len(weights) // groups, weights.shape[1], -1).double()
    return parts.flatten(2) if side == "svr" else parts.transpose(2, 3).flatten(1, 2)


def _decomposed(matrices: Tensor, tolerance: float, count: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """Triplets of the block-diagonal matrix of all groups: those of the groups, sorted, with zeros elsewhere."""
    if len(matrices) == 1:
        return decompose(matrices[0], tolerance, count)
    found = [decompose(matrix, tolerance, count) for matrix in matrices]
    S = torch.cat([values for _, values, _ in found])
    U, Vh = torch.block_diag(*(U for U, _, _ in found)), torch.block_diag(*(Vh for _, _, Vh in found))
    order = S.argsort(descending=True, stable=True)[:count]
    order = order[S[order] > tolerance * S[order[:1]]]
    return U[:, order], S[order], Vh[order]


def compose(neurons: SpectralNeurons, kernel: tuple[int, ...]) -> Tensor:
    """The weights ``(c_out, c_in, *kernel)`` that the neurons add up to; all of them give the layer back.

    Raises ``ValueError`` where ``kernel`` has another number of entries than the neurons' representations.
    """
    U, V = neurons.U, neurons.V
    if prod(kernel) != U.shape[1] * V.shape[1]:
        raise ValueError(f"a kernel {tuple(kernel)} has {prod(kernel)} entries, the neurons {U.shape[1] * V.shape[1]}")
    return torch.einsum("oqm,m,ikm->oiqk", U, neurons.S, V).reshape(len(U), len(V), *kernel)


def residuals(layer: nn.Module, neurons: SpectralNeurons) -> Tensor:
    """Two-sided residual ``(|A v - s u|^2 + |A^T u - s v|^2)^(1/2) / s_0`` ``(M,)`` of each spectral neuron of a layer.

    Relative to the largest singular value, by the layer's own weights in float64: at rounding, some 1e-13 at most.
    """
    matrices = _matrices(layer.weight.detach(), neurons.side, neurons.groups)
    U, Vh = neurons.U.flatten(0, 1), neurons.V.flatten(0, 1).mT
    U, Vh = U.unflatten(0, (len(matrices), -1)), Vh.unflatten(1, (len(matrices), -1)).transpose(0, 1)
    right = matrices @ Vh.mT - U * neurons.S
    left = U.mT @ matrices - neurons.S.unsqueeze(1) * Vh
    return torch.hypot(right.flatten(0, 1).norm(dim=0), left.norm(dim=2).norm(dim=0)) / neurons.S[:1]
