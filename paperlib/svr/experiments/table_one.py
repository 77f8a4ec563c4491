"""Table 1 of `svr`, fully connected beside convolutional, with each row checked on random layers."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.svr.adjacency import adjacency, effective_filters
from paperlib.svr.experiments.moments import law_distance
from paperlib.svr.neurons import SpectralNeurons, compose, spectral_neurons

# The row whose numbers are distances of laws and no errors.
LAWS = "null model"


@dataclass(frozen=True)
class Pair:
    """Two consecutive random layers without padding in float64, their spectral neurons, and an input of the first.

    ``x`` is ``(1, i)`` or ``(1, i, height, width)``. A fully connected layer counts as a convolution of a single
    pixel by a kernel of a single entry: ``images`` and ``filters`` give that form.
    """

    earlier: nn.Module
    later: nn.Module
    x: Tensor

    @property
    def neurons(self) -> tuple[SpectralNeurons, SpectralNeurons]:
        """Those of the earlier and of the later layer."""
        return spectral_neurons(self.earlier), spectral_neurons(self.later)

    @property
    def images(self) -> Tensor:
        return self.x.reshape(*self.x.shape, *[1] * (4 - self.x.dim()))

    @property
    def kernel(self) -> tuple[int, ...]:
        return tuple(self.earlier.weight.shape[2:])


@dataclass(frozen=True)
class Row:
    """A row of the table: the words for both kinds of layers, and what is checked with the error of each kind."""

    name: str
    dense: str
    convolutional: str
    check: str
    errors: tuple[float, float]


def random_pairs(seed: int) -> tuple[Pair, Pair]:
    """A fully connected pair 9 -> 12 -> 7 and a convolutional one 4 -> 12 -> 7 with kernels 3 x 3, on 8 x 8 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        dense = (nn.Linear(9, 12, bias=False), nn.Linear(12, 7, bias=False))
        convolutional = (nn.Conv2d(4, 12, 3, bias=False), nn.Conv2d(12, 7, 3, bias=False))
        inputs = torch.randn(1, 9, dtype=torch.float64), torch.randn(1, 4, 8, 8, dtype=torch.float64)
    return tuple(
        Pair(*(layer.double().requires_grad_(False) for layer in layers), x)
        for layers, x in zip((dense, convolutional), inputs, strict=True)
    )


def rows(seed: int) -> list[Row]:
    """All rows, with errors relative to what is compared, at float64's rounding where the row holds.

    That of the last row is no error of rounding but how far the limit law is from the exact one.
    """
    pairs = random_pairs(seed)
    return [Row(*words, tuple(check(pair) for pair in pairs)) for *words, check in _ROWS]


def _error(found: Tensor, expected: Tensor) -> float:
    return ((found - expected).abs().max() / expected.abs().max()).item()


def _spaces(pair: Pair) -> float:
    """The layer is linear between its spaces: it takes sums to sums."""
    y = torch.linspace(-1, 1, pair.x.numel(), dtype=torch.float64).reshape(pair.x.shape)
    return _error(pair.earlier(pair.x + 3 * y), pair.earlier(pair.x) + 3 * pair.earlier(y))


def _factoring(pair: Pair) -> float:
    """V, then S and U, are two layers that do what the one does."""
    neurons = pair.neurons[0]
    y = F.conv2d(pair.images, _input_filters(neurons, pair.kernel))
    recombined = F.conv2d(y, (neurons.U[:, 0] * neurons.S)[:, :, None, None])
    return _error(recombined, _images(pair.earlier(pair.x)))


def _operation(pair: Pair) -> float:
    """Products of the weights with every window of the input, summed."""
    height, width = pair.kernel or (1, 1)
    windows = pair.images.unfold(2, height, 1).unfold(3, width, 1)
    weight = pair.earlier.weight.reshape(*pair.earlier.weight.shape[:2], height, width)
    return _error(torch.einsum("bchwxy,kcxy->bkhw", windows, weight), _images(pair.earlier(pair.x)))


def _building_block(pair: Pair) -> float:
    """Each output follows from its own neuron or filter alone."""
    outputs, alone = _images(pair.earlier(pair.x)), []
    for weight in pair.earlier.weight:
        kernel = weight.reshape(1, len(weight), *(pair.kernel or (1, 1)))
        alone.append(F.conv2d(pair.images, kernel))
    return _error(torch.cat(alone, 1), outputs)


def _parameters(pair: Pair) -> float:
    """The count is that of the formula."""
    weight = pair.earlier.weight
    return float(abs(weight.numel() - weight.shape[0] * weight.shape[1] * prod(pair.kernel)))


def _svd(pair: Pair) -> float:
    """The neurons add up to the weights, and are orthonormal."""
    neurons = pair.neurons[0]
    orthonormal = max(
        (part.flatten(0, 1).mT @ part.flatten(0, 1) - torch.eye(len(neurons))).abs().max().item()
        for part in (neurons.U, neurons.V)
    )
    return max(_error(compose(neurons, pair.kernel), pair.earlier.weight), orthonormal)


def _recovery(pair: Pair) -> float:
    """Output k is the sum over m of ``u_km s_m`` times the m-th spectral image."""
    neurons = pair.neurons[0]
    filters = _input_filters(neurons, pair.kernel)
    found = sum(
        neurons.U[:, 0, m, None, None] * neurons.S[m] * F.conv2d(pair.images, filters[m : m + 1])
        for m in range(len(neurons))
    )
    return _error(found, _images(pair.earlier(pair.x)))


def _adjacency(pair: Pair) -> float:
    """What neuron n of the later layer sees of neuron m alone has the squared norm ``a_nm``."""
    earlier, later = pair.neurons
    found, filters = adjacency(later, earlier).coefficients, effective_filters(later, earlier)
    # Each spectral image of the earlier layer in turn, lit at one pixel alone.
    lit = earlier.U[:, 0].T[:, :, None, None]
    around = [size - 1 for size in pair.kernel or (1, 1)]
    seen = F.conv2d(lit, _input_filters(later, pair.kernel), padding=around).square().sum((2, 3)).T
    return max(_error(seen, found), _error(filters.square().sum(2), found))


def _null(pair: Pair) -> float:
    """Distance of the limit law from the exact one, at the layers' own number of channels."""
    return law_distance(len(pair.earlier.weight), prod(pair.kernel))


def _images(values: Tensor) -> Tensor:
    return values.reshape(*values.shape, *[1] * (4 - values.dim()))


def _input_filters(neurons: SpectralNeurons, kernel: tuple[int, ...]) -> Tensor:
    """Input representations as filters ``(M, c_in, *kernel)``, ``1 x 1`` for a fully connected layer."""
    return neurons.V.permute(2, 0, 1).unflatten(2, kernel or (1, 1))


_ROWS: list[tuple[str, str, str, str, Callable[[Pair], float]]] = [
    ("spaces", r"$\mathbb R^i \to \mathbb R^o$", r"$F^i \to F^o$", "linear between them", _spaces),
    ("factoring", "$V^T$, then $US$", "$V$, then 1 x 1 with $US$", "two layers do what the one does", _factoring),
    ("operation", "product", "cross-correlation", "products of weights and windows", _operation),
    ("building block", r"neuron in $\mathbb R^i$", r"filter $i \times K^2$", "each output alone", _building_block),
    ("parameters", "$o i$", "$o i K^2$", "their number", _parameters),
    ("SVD", "$A = U S V^T$", r"$\bar T = U S \bar V^T$", "neurons add up, orthonormal", _svd),
    (
        "output recovery",
        r"$\sum_m u_{km} s_m \langle V_m, x \rangle$",
        r"$\sum_m u_{km} s_m (V_m \star x)$",
        "the sum is the output",
        _recovery,
    ),
    ("adjacency", "$(U_m^T V_n)^2$", r"$\Vert U_m^T V_n \Vert_F^2$", "energy seen of one lit neuron", _adjacency),
    (
        LAWS,
        r"$\frac1o \chi^2(1)$",
        r"$\frac{1}{o K^2} \chi^2(K^2)$",
        "distance from the exact law at $o = 12$",
        _null,
    ),
]
