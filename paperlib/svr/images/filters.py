"""Spectral neurons as filters, and layers that apply given filters in the place of their own (`svr`, Section 4.1)."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from paperlib.svr.neurons import SpectralNeurons, spectral_neurons
from paperlib.unfolding import Convolution

Padding = Literal["layer", "none"]


def spectral_filters(layer: nn.Module, count: int | None = None) -> Tensor:
    """The input representations of the first ``count`` spectral neurons as filters ``(M, c_in, *kernel)``, float64.

    All of them where ``count`` is None, or where there are fewer. Of a fully connected layer ``(M, c_in)``; of a
    grouped convolution a filter has all input channels, zero where its group has none. Raises what
    `spectral_neurons` raises.
    """
    return as_filters(layer, spectral_neurons(layer, count=count))


def as_filters(layer: nn.Module, neurons: SpectralNeurons) -> Tensor:
    """The input representations of neurons of ``layer``'s SVR in the shape of its filters: ``(M, c_in, *kernel)``."""
    V = neurons.V.permute(2, 0, 1)
    return V.unflatten(2, layer.kernel_size) if isinstance(layer, Convolution) else V.squeeze(2)


def random_filters(layer: nn.Module, count: int, generator: torch.Generator) -> Tensor:
    """Random orthonormal filters in the place of the spectral ones: same shape and dtype, uniformly distributed.

    Raises ``ValueError`` for more filters than a filter has entries.
    """
    shape = (layer.in_channels, *layer.kernel_size) if isinstance(layer, Convolution) else (layer.in_features,)
    entries = torch.Size(shape).numel()
    if count > entries:
        raise ValueError(f"{count} filters of {entries} entries cannot be orthonormal")
    # The directions of Gaussian columns after orthonormalisation are uniform; the signs do not matter here.
    columns = torch.linalg.qr(torch.randn(entries, count, dtype=torch.float64, generator=generator)).Q
    return columns.mT.reshape(count, *shape)


def with_filters(layer: nn.Module, filters: Tensor, padding: Padding = "layer") -> nn.Module:
    """A layer that applies ``filters`` ``(M, c_in, *kernel)`` as ``layer`` applies its own, without bias or groups.

    Stride, dilation, device and dtype are those of ``layer``, and so is the padding unless it is ``"none"``, with
    which filters stay inside the map. Raises ``ValueError`` for another padding.
    """
    if padding not in get_args(Padding):
        raise ValueError(f"padding is {padding!r}; expected one of {', '.join(get_args(Padding))}")
    if isinstance(layer, nn.Linear):
        made = nn.Linear(layer.in_features, len(filters), bias=False, device="meta")
    else:
        made = type(layer)(
            layer.in_channels,
            len(filters),
            layer.kernel_size,
            layer.stride,
            layer.padding if padding == "layer" else 0,
            layer.dilation,
            bias=False,
            padding_mode=layer.padding_mode if padding == "layer" else "zeros",
            device="meta",
        )
    made.weight = nn.Parameter(filters.to(layer.weight), requires_grad=False)
    return made.eval()
