"""Take neurons out of a network for good: structured pruning of the channels between two layers (`svr`, 5.2.2)."""

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.models import evaluating
from paperlib.subspaces.layers import LayerError, linear_layer
from paperlib.svr.layers import GraphError, LayerGraph, Link, layer_graph
from paperlib.training.loop import predict
from paperlib.unfolding import Convolution

_BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


@dataclass(frozen=True)
class RemovedNeurons:
    """The neurons (output channels) taken from the layer at ``path``, 0-based and rising.

    ``constants`` ``(inputs,)`` are what the layer at ``later`` would read of them if they wrote nothing: 0 without
    biases and batch norm. What they contribute stands in that layer's bias now.
    """

    path: str
    later: str
    neurons: tuple[int, ...]
    constants: Tensor


@dataclass(frozen=True)
class PrunedNetwork:
    """A network with fewer neurons, what was taken from each layer, and the parameters of the whole network."""

    model: nn.Module
    removed: tuple[RemovedNeurons, ...]
    parameters_before: int
    parameters: int


@dataclass(frozen=True)
class OutputChange:
    """How far the outputs of two networks differ: ``|y' - y| / |y|`` over all images, and the largest entry of
    ``|y' - y|`` over that of ``|y|``; ``same_class`` is the share of images with their largest output at the same
    place.
    """

    relative: float
    largest: float
    same_class: float


def chain_links(graph: LayerGraph) -> tuple[Link, ...]:
    """The links of a graph whose earlier layer feeds no other layer and whose later one is fed by no other."""
    fed, feeding = Counter(link.later for link in graph.links), Counter(link.earlier for link in graph.links)
    return tuple(
        link
        for link in graph.links
        if feeding[link.earlier] == fed[link.later] == 1 and link.earlier != link.later and link.start == 0
    )


def remove_neurons(model: nn.Module, images: Tensor, neurons: Mapping[str, Sequence[int] | Tensor]) -> PrunedNetwork:
    """A copy of the model without the given output channels of some of its layers, which must feed one layer each.

    They go from the layer, from batch norms and PReLUs behind it and from the inputs of the next layer. What a neuron
    without weights still sends on, through biases and batch norm's shift, is constant and goes into the next layer's
    bias: the network's function stays the same if the neurons' weights were 0, or those that read them. Only next to
    a padding of zeros the constant is missing from the edge of the map, so that outputs change there unless it is 0;
    `output_change` measures it. ``images`` is an example of the model's input, of any values.

    Raises ``LayerError`` for a path without such a layer, a grouped layer, or a module in between whose channels
    cannot be taken out, ``GraphError`` where the channels lead elsewhere too, and ``ValueError`` for neurons that do
    not exist or are all of a layer's.
    """
    links = {link.earlier: link for link in chain_links(layer_graph(model, images))}
    pruned = copy.deepcopy(model)
    removed = []
    for path, chosen in neurons.items():
        layer = linear_layer(pruned, path)
        if path not in links:
            raise GraphError(
                f"layer {path} does not feed exactly one layer that nothing else feeds; the layers that do are: "
                f"{', '.join(links) or 'none'}"
            )
        kept, gone = _kept(path, layer, chosen)
        if len(gone):
            removed.append(_remove(pruned, images, links[path], kept, gone))
    return PrunedNetwork(pruned, tuple(removed), _parameters(model), _parameters(pruned))


def output_change(model: nn.Module, other: nn.Module, images: Tensor) -> OutputChange:
    """Compare the outputs ``(count, classes)`` of two networks on the same images, in evaluation mode and float64."""
    with evaluating(model), evaluating(other):
        before, after = predict(model, images).double(), predict(other, images).double()
    difference = after - before
    return OutputChange(
        relative=(difference.norm() / before.norm()).item(),
        largest=(difference.abs().max() / before.abs().max()).item(),
        same_class=(before.argmax(1) == after.argmax(1)).double().mean().item(),
    )


def _kept(path: str, layer: nn.Module, chosen: Sequence[int] | Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the channels that stay and of those that go."""
    count = len(layer.weight)
    gone = torch.as_tensor(chosen, dtype=torch.int64).unique()
    if len(gone) and not 0 <= int(gone[0]) <= int(gone[-1]) < count:
        raise ValueError(f"layer {path} has neurons 0 to {count - 1}, got {gone.tolist()}")
    if len(gone) == count:
        raise ValueError(f"all {count} neurons of layer {path} would go; at least one must stay")
    stays = torch.ones(count, dtype=torch.bool)
    stays[gone] = False
    return stays.nonzero().flatten(), gone


def _remove(model: nn.Module, images: Tensor, link: Link, kept: Tensor, gone: Tensor) -> RemovedNeurons:
    """Take the channels out of the model itself."""
    layer, later = linear_layer(model, link.earlier), linear_layer(model, link.later)
    for path, module in ((link.earlier, layer), (link.later, later)):
        if getattr(module, "groups", 1) != 1:
            raise LayerError(f"layer {path} has {module.groups} groups; only layers without groups can lose channels")
    with torch.no_grad():
        layer.weight[gone] = 0
    read, between = _readings(model, images, layer, later)
    inputs, lost = _places(kept, link.places), _places(gone, link.places)
    constants = read.movedim(1, 0).flatten(1).double().mean(1)[lost]
    _cut_outputs(layer, kept)
    for path, module in between.items():
        _cut_module(path, module, kept, inputs, link)
    _fold(later, lost, constants)
    _cut_inputs(later, inputs)
    try:
        with evaluating(model), torch.no_grad():
            model(images)
    except RuntimeError as error:
        raise GraphError(
            f"the channels of layer {link.earlier} lead elsewhere than to {link.later}: {error}"
        ) from error
    return RemovedNeurons(link.earlier, link.later, tuple(gone.tolist()), constants.cpu())


def _readings(
    model: nn.Module, images: Tensor, layer: nn.Module, later: nn.Module
) -> tuple[Tensor, dict[str, nn.Module]]:
    """The input of ``later``, and the modules with parameters or buffers between the two layers, by path.

    What depends on a layer's output is what autograd would send a gradient back through: only that output asks for
    one, and the next layer's input ends it.
    """
    read: list[Tensor] = []
    between: dict[str, nn.Module] = {}

    def begin(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        # Not the leaf itself, which no activation may overwrite.
        return output.detach().requires_grad_().clone()

    def end(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        read.append(inputs[0].detach().clone())
        return tuple(x.detach() for x in inputs)

    def meet(path: str, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
            between[path] = module

    with ExitStack() as hooks, evaluating(model), torch.enable_grad():
        asking = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in asking:
            hooks.callback(parameter.requires_grad_, True)
            parameter.requires_grad_(False)
        handles = [layer.register_forward_hook(begin), later.register_forward_pre_hook(end)]
        for path, module in model.named_modules():
            own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
            if own and module is not layer and module is not later:
                handles.append(module.register_forward_pre_hook(lambda m, x, path=path: meet(path, m, x)))
        for handle in handles:
            hooks.callback(handle.remove)
        model(images)
    return read[0], between


def _places(channels: Tensor, places: int) -> Tensor:
    """The inputs that the channels are behind a flattening with so many places of each channel."""
    return (channels.unsqueeze(1) * places + torch.arange(places)).flatten()


def _cut_outputs(layer: nn.Module, kept: Tensor) -> None:
    _cut(layer, ("weight", "bias"), kept)
    setattr(layer, "out_features" if isinstance(layer, nn.Linear) else "out_channels", len(kept))


def _cut_inputs(layer: nn.Module, kept: Tensor) -> None:
    _cut(layer, ("weight",), kept, axis=1)
    setattr(layer, "in_features" if isinstance(layer, nn.Linear) else "in_channels", len(kept))


def _cut_module(path: str, module: nn.Module, kept: Tensor, inputs: Tensor, link: Link) -> None:
    sizes = {link.channels: kept, link.channels * link.places: inputs}
    if isinstance(module, _BatchNorm) and module.num_features in sizes:
        chosen = sizes[module.num_features]
        _cut(module, ("weight", "bias", "running_mean", "running_var"), chosen)
        module.num_features = len(chosen)
    elif isinstance(module, nn.PReLU) and module.num_parameters in (1, *sizes):
        if module.num_parameters > 1:
            chosen = sizes[module.num_parameters]
            _cut(module, ("weight",), chosen)
            module.num_parameters = len(chosen)
    else:
        raise LayerError(
            f"module {path} ({type(module).__name__}) stands between {link.earlier} and {link.later}, and its "
            "channels cannot be taken out; supported are batch norm and PReLU, and any module without parameters"
        )


def _cut(module: nn.Module, names: Sequence[str], kept: Tensor, axis: int = 0) -> None:
    for name in names:
        value = getattr(module, name)
        if value is None:
            continue
        part = value.detach().index_select(axis, kept.to(value.device))
        setattr(module, name, nn.Parameter(part, value.requires_grad) if isinstance(value, nn.Parameter) else part)


def _fold(later: nn.Module, lost: Tensor, constants: Tensor) -> None:
    """Add what constant inputs contribute to the bias, which is made where there is none and something to add."""
    weight = later.weight.detach()[:, lost.to(later.weight.device)].double()
    added = weight.flatten(2).sum(2) @ constants if isinstance(later, Convolution) else weight @ constants
    if not added.any():
        return
    if later.bias is None:
        later.bias = nn.Parameter(added.to(later.weight.dtype), later.weight.requires_grad)
    else:
        with torch.no_grad():
            later.bias.add_(added.to(later.bias.dtype))


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
