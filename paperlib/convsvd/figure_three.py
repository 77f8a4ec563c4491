"""The spectra and the layer table of Figure 3 of `convsvd`, for any network."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from paperlib.plotting.spectra import SpectrumPanel
from paperlib.spectra import (
    MarchenkoPastur,
    PowerLaw,
    SpectralDistribution,
    fit_power_law,
    layer_spectrum,
    marchenko_pastur_of,
)
from paperlib.unfolding import Convolution, output_unfolding

# What convolutions 2 to 13 of VGG-16 read and give, and the printed numbers of singular values of their operator
# matrices.
VGG16_CHANNELS = (64, 64, 128, 128, 256, 256, 256, *[512] * 6)
PRINTED_COUNTS = (3.21e6, 3.21e6, 6.42e6, 1.61e6, 3.21e6, 3.21e6, 3.21e6, 6.42e6, 1.61e6, 1.61e6, 1.61e6, 1.61e6)


def printed_sizes() -> list[int]:
    """The side of the map for which the fewer channels of each of convolutions 2 to 13 give the printed number.

    A circular boundary has ``min(c_in, c_out) side^2`` singular values.
    """
    fewer = [min(channels) for channels in pairwise(VGG16_CHANNELS)]
    return [round((count / channels) ** 0.5) for count, channels in zip(PRINTED_COUNTS, fewer, strict=True)]


@dataclass(frozen=True)
class LayerRow:
    """One convolution of a network: its spectra in both matrizations and the power laws fitted to their tails."""

    path: str
    channels: tuple[int, int]
    size: tuple[int, ...]
    W1: SpectralDistribution
    W2: SpectralDistribution
    fit_W1: PowerLaw
    fit_W2: PowerLaw

    @property
    def counts(self) -> tuple[int, int]:
        """Singular values of each matrix, zeros among them."""
        return tuple(len(found.eigenvalues) + found.zeros for found in (self.W1, self.W2))

    @property
    def smallest_gap(self) -> float:
        """Smallest distance of neighbouring non-zero singular values of W1, relative to the larger of the two."""
        values = self.W1.eigenvalues.sqrt()
        return float(((values[:-1] - values[1:]) / values[:-1]).min())


def layer_rows(model: nn.Module, sizes: Mapping[str, tuple[int, ...]]) -> list[LayerRow]:
    """Spectra and exponents of every convolution that ``sizes`` has the size of its input of, in their order.

    ``sizes`` are those of `paperlib.spectra.spatial_sizes`. Raises what `layer_spectrum` and `fit_power_law` raise.
    """
    rows = []
    for path, size in sizes.items():
        layer: Convolution = model.get_submodule(path)
        W1, W2 = layer_spectrum(layer, "W1"), layer_spectrum(layer, "W2", input_size=size)
        fits = (fit_power_law(found.eigenvalues) for found in (W1, W2))
        rows.append(LayerRow(path, (layer.in_channels, layer.out_channels), size, W1, W2, *fits))
    return rows


def operator_law(layer: Convolution) -> MarchenkoPastur:
    """The law of Marchenko and Pastur for the operator matrix, were the weights independent with this mean square.

    At each frequency of a circular boundary the symbol is then a random matrix of one group's channels, whose entries
    are sums of as many weights as a kernel has.
    """
    weight = layer.weight.detach().double()
    variance = weight[0, 0].numel() * weight.square().mean().item()
    return MarchenkoPastur(len(weight) // layer.groups, weight.shape[1], variance)


def figure_panels(title: str, row: LayerRow, layer: Convolution, control: Convolution) -> dict[str, SpectrumPanel]:
    """The two panels of a layer for `paperlib.plotting.spectra.draw_spectra`; ``control`` has its weights shuffled."""
    W1 = layer_spectrum(control, "W1")
    W2 = layer_spectrum(control, "W2", input_size=row.size)
    law = marchenko_pastur_of(output_unfolding(layer.weight, layer.groups))
    return {
        f"{title}, $W_1$": SpectrumPanel(row.W1, row.fit_W1, law, W1),
        f"{title}, $W_2$": SpectrumPanel(row.W2, row.fit_W2, operator_law(layer), W2),
    }
