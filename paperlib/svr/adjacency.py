"""How the spectral neurons of one layer fit those of the next (`svr`, Sections 2.2, 4.2, 4.4)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.svr.chance import Span, chance
from paperlib.svr.neurons import SpectralNeurons

# Entries of the products that are in memory at a time: 32 MiB, which stays near the processor's cache.
_ENTRIES = 2**22


class ChainError(ValueError):
    """Two layers whose channels do not fit; the message gives both."""


@dataclass(frozen=True)
class Adjacency:
    """Coefficients ``(M_later, M_earlier)`` in [0, 1] between the spectral neurons of two consecutive layers.

    Rows belong to the later layer. ``channels`` is the number c whose reciprocal is the mean coefficient between random
    directions: the channels that the layers share, or all that the later one reads where the earlier writes a part of
    them. ``degrees`` is the number of squares that a coefficient is the sum of: under the null model it follows
    ``chi^2(degrees) / (c degrees)`` for large c. It need not be whole where groups or a kernel on both sides make the
    squares depend on each other. ``share`` of the pairs have a channel in common, all but between two grouped
    convolutions; the other coefficients are 0 by construction, and the law of those that are not has ``c share``
    channels.
    """

    coefficients: Tensor
    channels: float
    degrees: float
    share: float = 1.0


def adjacency(
    later: SpectralNeurons, earlier: SpectralNeurons, *, start: int = 0, places: int | None = None
) -> Adjacency:
    """``a_nm = |U_m^T V_n|_F^2``: how much of what neuron n of the later layer reads neuron m of the earlier writes.

    With both in the SVR the kernel of the later layer counts (eq. in Section 4.2), with both in the co-SVR that of
    the earlier one; the SVR of the earlier beside the co-SVR of the later layer is the mixed matrix of Section 5.2,
    squared. A fully connected layer behind the flattening of a convolution's map has a channel's places side by side:
    they count as a kernel of that many entries.

    By default the earlier layer writes all that the later one reads. Behind a concatenation it writes the inputs from
    ``start`` on, ``places`` for each channel, and V is cut to them. What is cut keeps its length below 1, so that the
    coefficients into a neuron add up to 1 at most over all that it reads, and one that does not read this part has
    none. A random V is uniform on the sphere of all its inputs, and so the law is that of all the channels that the
    later layer reads: exact in the SVR, with the mean and variance of the exact one in the co-SVR.

    Raises ``ChainError`` unless the later layer's inputs are the earlier's channels, or a multiple of them, or hold
    them at ``start``.

    In the book: thm-overlap, thm-effective-filters, thm-gated-middle.
    """
    channels, inputs = len(earlier.U), len(later.V)
    if places is None:
        if inputs % channels or (inputs != channels and later.V.shape[1] != 1):
            raise ChainError(f"a layer with {inputs} input channels cannot follow one with {channels} output channels")
        places = inputs // channels
    stop = start + channels * places
    if start < 0 or places < 1 or stop > inputs:
        raise ChainError(f"inputs {start} to {stop - 1} were to be {channels} channels at {places} places of {inputs}")
    V = later.V[start:stop].reshape(channels, places * later.V.shape[1], len(later))
    found = chance(_written(earlier, places), _read(later, start), places)
    return Adjacency(_coefficients(V, earlier.U), found.channels, found.degrees, found.share)


def effective_filters(later: SpectralNeurons, earlier: SpectralNeurons) -> Tensor:
    """``A_nm = sum_k u_km V_kn`` ``(M_later, M_earlier, k)``: how spectral images compose without activation.

    For neurons of the SVR (`svr`, Section 4.2): the n-th spectral image of the later layer is the sum over m of the
    m-th scaled spectral image of the earlier one, correlated with ``A_nm``.

    In the book: thm-effective-filters.
    """
    return torch.einsum("czn,cm->nmz", later.V, earlier.U[:, 0])


def _coefficients(V: Tensor, U: Tensor) -> Tensor:
    """Sums over z and w of ``(sum_c V_czn U_cwm)^2``, ``(n, m)``, in blocks of n: the products need not fit."""
    c, z, later = V.shape
    _, w, earlier = U.shape
    found = V.new_empty(later, earlier)
    if not found.numel():
        return found
    U = U.flatten(1)
    step = max(1, _ENTRIES // (z * w * earlier))
    for first in range(0, later, step):
        part = V[:, :, first : first + step].permute(0, 2, 1).reshape(c, -1)
        products = (part.mT @ U).square_().view(-1, z * w, earlier)
        torch.sum(products, 1, out=found[first : first + step])
    return found


def _written(earlier: SpectralNeurons, places: int) -> Span:
    channels, kernel, _ = earlier.U.shape
    return Span(0, channels // earlier.groups * places, kernel, _counts(earlier.U, earlier.groups))


def _read(later: SpectralNeurons, start: int) -> Span:
    inputs, kernel, _ = later.V.shape
    return Span(-start, inputs // later.groups, kernel, _counts(later.V, later.groups))


def _counts(representations: Tensor, groups: int) -> Tensor:
    """How many spectral neurons lie in each group, ``(groups,)``."""
    if groups == 1:
        return torch.tensor([representations.shape[2]])
    channel = representations.square().sum(1).argmax(0)
    return torch.bincount(channel * groups // len(representations), minlength=groups).cpu()
