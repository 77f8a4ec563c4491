"""How the spectral neurons of one layer fit those of the next (`svr`, Sections 2.2, 4.2, 4.4)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.svr.neurons import SpectralNeurons


class ChainError(ValueError):
    """Two layers whose channels do not fit; the message gives both."""


@dataclass(frozen=True)
class Adjacency:
    """Coefficients ``(M_later, M_earlier)`` in [0, 1] between the spectral neurons of two consecutive layers.

    Rows belong to the later layer. ``channels`` is the number c of shared channels and ``degrees`` the number of
    squares that a coefficient is the sum of: under the null model it follows ``chi^2(degrees) / (c degrees)`` for
    large c, with the mean ``1 / c``.
    """

    coefficients: Tensor
    channels: int
    degrees: int


def adjacency(later: SpectralNeurons, earlier: SpectralNeurons) -> Adjacency:
    """``a_nm = |U_m^T V_n|_F^2``: how much of what neuron n of the later layer reads neuron m of the earlier writes.

    With both in the SVR the kernel of the later layer counts (eq. in Section 4.2), with both in the co-SVR that of
    the earlier one; the SVR of the earlier beside the co-SVR of the later layer is the mixed matrix of Section 5.2,
    squared. A fully connected layer behind the flattening of a convolution's map has a channel's places side by side:
    they count as a kernel of that many entries.

    Raises ``ChainError`` unless the later layer's inputs are the earlier's channels, or a multiple of them.
    """
    channels = len(earlier.U)
    V = later.V
    if len(V) != channels:
        if V.shape[1] != 1 or len(V) % channels:
            raise ChainError(f"a layer with {len(V)} input channels cannot follow one with {channels} output channels")
        V = V.reshape(channels, -1, V.shape[2])
    products = torch.einsum("czn,cwm->nmzw", V, earlier.U)
    return Adjacency(products.square().sum((2, 3)), channels, V.shape[1] * earlier.U.shape[1])


def effective_filters(later: SpectralNeurons, earlier: SpectralNeurons) -> Tensor:
    """``A_nm = sum_k u_km V_kn`` ``(M_later, M_earlier, k)``: how spectral images compose without activation.

    For neurons of the SVR (`svr`, Section 4.2): the n-th spectral image of the later layer is the sum over m of the
    m-th scaled spectral image of the earlier one, correlated with ``A_nm``.
    """
    return torch.einsum("czn,cm->nmz", later.V, earlier.U[:, 0])
