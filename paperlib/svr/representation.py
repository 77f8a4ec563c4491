"""The singular value representation of a whole network (`svr`, Sections 2.2, 4.2, 4.4).

>>> import torch
>>> from torch import nn
>>> from paperlib.svr.representation import representation
>>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 10), nn.ReLU(), nn.Linear(10, 4))
>>> found = representation(model, torch.zeros(1, 3, 4, 4))
>>> [layer.path for layer in found.layers], [len(layer.singular_values) for layer in found.layers]
(['0', '3', '5'], [8, 10, 4])
>>> [tuple(connection.adjacency.coefficients.shape) for connection in found.connections]
[(10, 8), (4, 10)]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, get_args

from torch import Tensor, nn

from paperlib.subspaces.layers import LayerError
from paperlib.svr.adjacency import Adjacency, ChainError, adjacency
from paperlib.svr.folding import batch_norm_scales, folded
from paperlib.svr.layers import GraphError, Link, layer_graph
from paperlib.svr.neurons import Side, SpectralNeurons, neurons_of_weights

Kind = Literal["svr", "co_svr", "mixed"]
LayerKind = Literal["fully_connected", "convolution"]
BatchNorms = Literal["ignored", "folded"]


@dataclass(frozen=True)
class Layer:
    """The spectral neurons of one layer as vertices.

    ``path`` is the module's, ``weight_shape`` is ``(c_out, c_in)`` or ``(c_out, c_in / groups, *kernel)``, and
    ``singular_values`` ``(M,)`` are float64, positive and decreasing.
    """

    path: str
    kind: LayerKind
    side: Side
    weight_shape: tuple[int, ...]
    singular_values: Tensor


@dataclass(frozen=True)
class Connection:
    """The adjacency between two layers of a representation, which ``earlier`` and ``later`` are indices of."""

    earlier: int
    later: int
    adjacency: Adjacency


@dataclass(frozen=True)
class Representation:
    """Spectral neurons of a network's layers and how they fit: an acyclic graph of layers, in running order.

    All tensors are float64 on the CPU. In a mixed representation a layer between others stands twice: its co-SVR, which
    reads, before its SVR, which writes.
    """

    layers: tuple[Layer, ...]
    connections: tuple[Connection, ...]
    batch_norm: BatchNorms = "ignored"


@dataclass(frozen=True)
class _Weights:
    """Weights of one layer with all that its decomposition needs."""

    path: str
    values: Tensor
    groups: int

    @property
    def kind(self) -> LayerKind:
        return "fully_connected" if self.values.dim() == 2 else "convolution"

    @property
    def inputs(self) -> int:
        return self.values.shape[1] * self.groups


def representation(
    model: nn.Module,
    images: Tensor,
    *,
    kind: Kind = "svr",
    count: int | None = None,
    batch_norm: BatchNorms = "ignored",
) -> Representation:
    """The singular value representation of a model; ``images`` is an example of its input, for its shape alone.

    Layers and what feeds what are those of `layer_graph`; activations, pooling and normalisation between them have no
    part in it. ``kind`` is ``"svr"``, ``"co_svr"``, or ``"mixed"``: what the SVR of the earlier layer writes beside
    what the co-SVR of the later one reads (Section 5.2). ``count`` keeps the largest spectral neurons of each layer.
    ``batch_norm="folded"`` decomposes weights times the scale of the batch norm that directly follows them, see
    `batch_norm_scales`; the paper ignores them.

    Memory beyond the coefficients: one layer's weights and input representations in float64, and the output
    representations of the layers whose readers have not come yet.

    Raises ``GraphError`` for a model whose layers cannot be followed or that has a layer that feeds an earlier one or
    itself, ``LayerError`` where no linear layer feeds another, ``ChainError`` where channels do not fit, and
    ``ValueError`` for weights that are not finite (with the layer's path) and settings out of range.
    """
    _check_settings(kind, count, batch_norm)
    graph = layer_graph(model, images)
    scales = batch_norm_scales(model) if batch_norm == "folded" else {}
    layers = [_weights(path, model.get_submodule(path), scales.get(path)) for path in graph.layers]
    return _represented(layers, graph.links, kind, count, batch_norm)


def representation_of_weights(
    weights: Sequence[Tensor] | Mapping[str, Tensor], *, kind: Kind = "svr", count: int | None = None
) -> Representation:
    """The same for a chain of weights ``(c_out, c_in)`` or ``(c_out, c_in / groups, *kernel)``, first layer first.

    Paths are the names of a mapping, or ``"0"``, ``"1"``, ... A matrix behind a convolution may read each of its
    channels at several places. Groups follow from the channels before; the first layer has one.

    Raises as `representation` does.
    """
    _check_settings(kind, count, "ignored")
    named = weights if isinstance(weights, Mapping) else {str(index): one for index, one in enumerate(weights)}
    layers: list[_Weights] = []
    for path, values in named.items():
        layers.append(_Weights(path, values.detach(), _groups(values, layers[-1].values if layers else None)))
    links = [
        Link(before.path, after.path, 0, len(before.values), max(1, after.inputs // len(before.values)))
        for before, after in pairwise(layers)
    ]
    for link, (before, after) in zip(links, pairwise(layers), strict=True):
        if after.inputs != link.channels * (link.places if after.kind == "fully_connected" else 1):
            raise ChainError(
                f"layer {after.path!r} with {after.inputs} input channels cannot follow {before.path!r} with "
                f"{link.channels} output channels"
            )
    return _represented(layers, links, kind, count, "ignored")


def _check_settings(kind: str, count: int | None, batch_norm: str) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(get_args(Kind))}")
    if count is not None and count < 1:
        raise ValueError(f"count is {count}; expected at least one spectral neuron for each layer")
    if batch_norm not in get_args(BatchNorms):
        raise ValueError(f"batch_norm is {batch_norm!r}; expected one of {', '.join(get_args(BatchNorms))}")


def _weights(path: str, module: nn.Module, scale: Tensor | None) -> _Weights:
    values = module.weight.detach()
    return _Weights(path, values if scale is None else folded(values, scale), getattr(module, "groups", 1))


def _groups(values: Tensor, before: Tensor | None) -> int:
    """The number of groups with which a convolution's channels are those of the layer before, 1 where none is."""
    if before is None or values.dim() < 3 or len(before) % values.shape[1]:
        return 1
    groups = len(before) // values.shape[1]
    return groups if len(values) % groups == 0 else 1


def _represented(
    layers: Sequence[_Weights], links: Sequence[Link], kind: Kind, count: int | None, batch_norm: BatchNorms
) -> Representation:
    _check_links(layers, links)
    reader, writer = ("co_svr", "svr") if kind == "mixed" else (kind, kind)
    vertices: dict[tuple[str, Side], Layer] = {}
    connections: list[Connection] = []
    # What layers write that others have still to read.
    written: dict[str, SpectralNeurons] = {}
    for position, weights in enumerate(layers):
        incoming = [link for link in links if link.later == weights.path]
        waiting = {link.earlier for link in links if link.later in {later.path for later in layers[position + 1 :]}}
        writes = weights.path in waiting
        sides = ([reader] if incoming else []) + ([writer] if writes or not incoming else [])
        neurons = _neurons(weights, sides, count)
        for side, found in neurons.items():
            shape = tuple(weights.values.shape)
            vertices[weights.path, side] = Layer(weights.path, weights.kind, side, shape, found.S.cpu())
        places = list(vertices)
        for link in incoming:
            found = adjacency(neurons[reader], written[link.earlier], start=link.start, places=link.places)
            found = replace(found, coefficients=found.coefficients.cpu())
            ends = places.index((link.earlier, writer)), places.index((link.later, reader))
            connections.append(Connection(*ends, found))
        if writes:
            written[weights.path] = _outputs(neurons[writer])
        written = {path: found for path, found in written.items() if path in waiting}
    return Representation(tuple(vertices.values()), tuple(connections), batch_norm)


def _neurons(weights: _Weights, sides: Sequence[Side], count: int | None) -> dict[Side, SpectralNeurons]:
    found: dict[Side, SpectralNeurons] = {}
    for side in dict.fromkeys(sides):
        if found and weights.kind == "fully_connected":
            # Without a kernel the two sides are the same.
            found[side] = replace(next(iter(found.values())), side=side)
            continue
        try:
            found[side] = neurons_of_weights(weights.values, side, groups=weights.groups, count=count)
        except ValueError as error:
            raise ValueError(f"layer {weights.path!r}: {error}") from error
    return found


def _outputs(neurons: SpectralNeurons) -> SpectralNeurons:
    """Neurons without their input representations, the larger part, which no later layer needs."""
    return replace(neurons, V=neurons.V.new_empty(0, *neurons.V.shape[1:]))


def _check_links(layers: Sequence[_Weights], links: Sequence[Link]) -> None:
    if not links:
        paths = ", ".join(weights.path for weights in layers) or "none"
        raise LayerError(f"no linear layer feeds another, so there is nothing to represent; linear layers: {paths}")
    known = {weights.path: (position, weights) for position, weights in enumerate(layers)}
    for link in links:
        (first, _), (second, later) = known[link.earlier], known[link.later]
        if first >= second:
            raise GraphError(
                f"layer {link.earlier!r} feeds {link.later!r}, which ran before: layers that run several times one "
                "behind the other have no acyclic graph"
            )
        if link.start + link.channels * link.places > later.inputs:
            raise ChainError(
                f"the {link.channels} channels of {link.earlier!r} at {link.places} places each, from input "
                f"{link.start} on, go beyond the {later.inputs} inputs of {link.later!r}; a layer has to act on axis 1"
            )
