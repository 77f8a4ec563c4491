"""Networks with the leading spectral neurons of their layers only: compression by SVD (`svr`, Sections 3.1, 3.2)."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from paperlib.subspaces.layers import LayerError, linear_layer
from paperlib.svr.dimensions import internal_dimensions
from paperlib.svr.images.filters import as_filters, with_filters
from paperlib.svr.neurons import SpectralNeurons, compose, spectral_neurons
from paperlib.svr.representation import Representation
from paperlib.unfolding import Convolution

RankReading = Literal["as_earlier", "as_later", "larger", "smaller"]


@dataclass(frozen=True)
class CompressedLayer:
    """One layer before and after: its spectral neurons, those ``kept``, and its parameters with the bias.

    ``energy`` in [0, 1] is the share of the sum of the squared singular values that is kept. ``factored`` says that
    two layers took its place; where these would have as many parameters or more, its own weights were truncated.
    """

    path: str
    neurons: int
    kept: int
    energy: float
    parameters_before: int
    parameters: int
    factored: bool


@dataclass(frozen=True)
class CompressedNetwork:
    """A network with fewer spectral neurons, what became of each layer, and the parameters of the whole network."""

    model: nn.Module
    layers: tuple[CompressedLayer, ...]
    parameters_before: int
    parameters: int


def internal_ranks(representation: Representation, reading: RankReading = "as_earlier") -> dict[str, int]:
    """How many spectral neurons of each layer are above its internal dimensions, by path (`svr`, Section 3.2).

    A layer has an internal dimension with each of its neighbours, and the paper prunes the 'bottom part' of a layer
    without saying which one ends the top: ``"as_earlier"`` takes d_in with the layers that follow, ``"as_later"``
    d_out with those before, ``"larger"`` and ``"smaller"`` the one or the other of the two. Of several neighbours on
    one side the largest dimension counts; a layer without neighbours on a side has the dimension of the other side.

    Raises ``ValueError`` for another reading, a representation without connections, or one of the co-SVR, whose
    neurons are not those that `compress` keeps.
    """
    if reading not in get_args(RankReading):
        raise ValueError(f"reading is {reading!r}; expected one of {', '.join(get_args(RankReading))}")
    if not representation.connections:
        raise ValueError("the representation has no connections, so that its layers have no internal dimensions")
    for layer in representation.layers:
        if layer.side != "svr":
            raise ValueError(f"layer {layer.path} is in the co-SVR; ranks are those of the SVR: expected kind 'svr'")
    as_earlier: dict[int, int] = {}
    as_later: dict[int, int] = {}
    for connection in representation.connections:
        found = internal_dimensions(connection.adjacency)
        as_earlier[connection.earlier] = max(found.d_in, as_earlier.get(connection.earlier, 0))
        as_later[connection.later] = max(found.d_out, as_later.get(connection.later, 0))
    choose = {"as_earlier": lambda d_in, d_out: d_in, "as_later": lambda d_in, d_out: d_out, "larger": max}
    ranks = {}
    for index, layer in enumerate(representation.layers):
        d_in, d_out = as_earlier.get(index), as_later.get(index)
        if d_in or d_out:
            ranks[layer.path] = choose.get(reading, min)(d_in or d_out, d_out or d_in)
    return ranks


def compress(model: nn.Module, ranks: Mapping[str, int]) -> CompressedNetwork:
    """A copy of the model in which the layer at each path keeps its first ``ranks[path]`` spectral neurons.

    A fully connected layer becomes two, c_in to r to c_out; a convolution becomes one with its own kernel to r
    channels and one of 1 x 1. Where that saves no parameters the layer stays one, with truncated weights: the network
    computes the same either way. A rank beyond the numerical rank keeps all neurons. The model itself is not changed.

    Raises ``LayerError`` for a path without a fully connected layer or convolution, ``ValueError`` for a rank below 1
    or above the smaller side of the layer's matrix, and what `spectral_neurons` raises.
    """
    before = _parameters(model)
    model = copy.deepcopy(model)
    found = []
    for path, rank in ranks.items():
        layer = linear_layer(model, path)
        neurons, kept = _leading(path, layer, rank)
        made = _smallest(layer, kept)
        total = neurons.S.square().sum().item()
        found.append(
            CompressedLayer(
                path=path,
                neurons=len(neurons),
                kept=len(kept),
                energy=kept.S.square().sum().item() / total if total else 1.0,
                parameters_before=_parameters(layer),
                parameters=_parameters(made),
                factored=isinstance(made, nn.Sequential),
            )
        )
        model = _replaced(model, layer, made)
    return CompressedNetwork(model, tuple(found), before, _parameters(model))


def _leading(path: str, layer: nn.Module, rank: int) -> tuple[SpectralNeurons, SpectralNeurons]:
    """All spectral neurons of a layer and the first ``rank`` of them."""
    if not isinstance(layer, nn.Linear | Convolution):
        raise LayerError(f"layer {path} is a {type(layer).__name__}, which has no spectral neurons")
    neurons = spectral_neurons(layer)
    largest = min(len(neurons.U), neurons.V.shape[0] * neurons.V.shape[1])
    if not 1 <= rank <= largest:
        raise ValueError(f"layer {path} cannot keep {rank} spectral neurons; expected a number in 1..{largest}")
    return neurons, replace(neurons, U=neurons.U[..., :rank], S=neurons.S[:rank], V=neurons.V[..., :rank])


def _smallest(layer: nn.Module, neurons: SpectralNeurons) -> nn.Module:
    """What has fewer parameters: two layers, or the layer with truncated weights."""
    if len(neurons):
        factors = _factored(layer, neurons)
        if _parameters(factors) < _parameters(layer):
            return factors
    return _truncated(layer, neurons)


def _factored(layer: nn.Module, neurons: SpectralNeurons) -> nn.Sequential:
    """``V^T`` with the layer's stride, padding and dilation, then ``U S`` with its bias."""
    first = with_filters(layer, as_filters(layer, neurons))
    first.weight.requires_grad_(layer.weight.requires_grad)
    settings = {"bias": layer.bias is not None, "device": "meta"}
    weight = neurons.U[:, 0] * neurons.S
    if isinstance(layer, nn.Linear):
        second = nn.Linear(len(neurons), layer.out_features, **settings)
    else:
        second = type(layer)(len(neurons), layer.out_channels, 1, **settings)
        weight = weight.reshape(second.weight.shape)
    second.weight = _like(layer.weight, weight)
    if layer.bias is not None:
        second.bias = copy.deepcopy(layer.bias)
    return nn.Sequential(first, second).train(layer.training)


def _truncated(layer: nn.Module, neurons: SpectralNeurons) -> nn.Module:
    """The layer with the weights that the neurons add up to; of a grouped one the part that its groups have."""
    made = copy.deepcopy(layer)
    if isinstance(layer, nn.Linear):
        made.weight = _like(layer.weight, compose(neurons, ()))
        return made
    weight = compose(neurons, layer.kernel_size)
    rows, columns = (weight.shape[axis] // layer.groups for axis in (0, 1))
    blocks = [weight[g * rows : (g + 1) * rows, g * columns : (g + 1) * columns] for g in range(layer.groups)]
    made.weight = _like(layer.weight, torch.cat(blocks))
    return made


def _like(parameter: nn.Parameter, values: Tensor) -> nn.Parameter:
    return nn.Parameter(values.to(parameter), requires_grad=parameter.requires_grad)


def _replaced(model: nn.Module, layer: nn.Module, made: nn.Module) -> nn.Module:
    """The model with ``made`` wherever it has ``layer``."""
    if model is layer:
        return made
    for path in [path for path, module in model.named_modules(remove_duplicate=False) if module is layer]:
        model.set_submodule(path, made)
    return model


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
