"""A network whose weights stay as they are, rewritten so that many steps through it cost less."""

import copy
import operator
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Size, Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Rounding may move an output by this many machine epsilons of the largest one; a wrong graph moves it further.
ROUNDING = 1000


def rewritten(model: nn.Module, images: Tensor) -> Callable[[Tensor], Tensor]:
    """A function with the outputs of ``model`` up to rounding, faster to differentiate by its input.

    ``images`` ``(count, *shape)`` are examples; the function takes images of that shape and that dtype. In it batch
    norms are part of the convolutions before them, a convolution on a map that is hardly larger than its kernel is
    the product with its matrix, one of a single input channel is the product of its patches with its kernels, and
    the channels of all maps lie innermost. The model itself is not changed; the function holds copies of the
    weights that it rewrote, so it does not see later changes of them.

    A model whose operations cannot be traced, that has hooks, or whose trace gives other outputs for ``images`` is
    returned as it is.
    """
    if any(module._forward_hooks or module._forward_pre_hooks for module in model.modules()):
        return model
    with torch.no_grad():
        try:
            graph = fx.symbolic_trace(model)
            _fold_batch_norms(graph)
            _leave_maps_as_they_are(graph)
            _replace_convolutions(graph, images)
            found = graph(images)
        # What a model does on tensors that are not there is its own affair: any error means that it cannot be traced.
        except Exception:
            return model
        wanted = model(images)
    scale = ROUNDING * torch.finfo(images.dtype).eps * wanted.abs().max()
    return graph if found.shape == wanted.shape and (found - wanted).abs().max() <= scale else model


def _fold_batch_norms(graph: fx.GraphModule) -> None:
    nodes = [node for node in graph.graph.nodes if node.op == "call_module"]
    targets = [node.target for node in nodes]
    for node in nodes:
        before = node.args[0] if node.args and isinstance(node.args[0], fx.Node) else None
        if type(graph.get_submodule(node.target)) is not nn.BatchNorm2d or before not in nodes:
            continue
        convolution, norm = graph.get_submodule(before.target), graph.get_submodule(node.target)
        shared = len(before.users) > 1 or targets.count(before.target) > 1 or targets.count(node.target) > 1
        if type(convolution) is nn.Conv2d and not shared:
            graph.set_submodule(before.target, fuse_conv_bn_eval(convolution, norm))
            node.replace_all_uses_with(before)
            graph.graph.erase_node(node)
    graph.delete_all_unused_submodules()
    graph.recompile()


def _leave_maps_as_they_are(graph: fx.GraphModule) -> None:
    # Operations in place on a view, which the rewritten convolutions return, make autograd copy the whole map.
    for node in graph.graph.nodes:
        alone = bool(node.args) and isinstance(node.args[0], fx.Node) and len(node.args[0].users) == 1
        if alone and node.target is operator.iadd:
            node.target = operator.add
        if alone and node.op == "call_module" and type(graph.get_submodule(node.target)) is nn.ReLU:
            graph.set_submodule(node.target, nn.ReLU())
    graph.recompile()


def _replace_convolutions(graph: fx.GraphModule, images: Tensor) -> None:
    maps = _Maps(graph)
    maps.run(images)
    for target, shapes in maps.shapes.items():
        convolution = graph.get_submodule(target)
        if len(shapes) == 1:
            graph.set_submodule(target, _replacement(convolution, *shapes.pop()))
        else:
            graph.set_submodule(target, copy.deepcopy(convolution).to(memory_format=torch.channels_last))


class _Maps(fx.Interpreter):
    """Runs a graph and keeps the shapes of the maps before and after each convolution."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.shapes: dict[str, set[tuple[Size, Size]]] = {}

    def call_module(self, target, args, kwargs):
        output = super().call_module(target, args, kwargs)
        if type(self.module.get_submodule(target)) is nn.Conv2d:
            self.shapes.setdefault(target, set()).add((args[0].shape[1:], output.shape[1:]))
        return output


def _replacement(convolution: nn.Conv2d, before: Size, after: Size) -> nn.Module:
    plain = convolution.groups == 1 and convolution.padding_mode == "zeros" and len(before) == 3
    products = after.numel() * convolution.weight[0].numel()
    # A convolution multiplies by the zeros of the padding too, its matrix only by weights.
    if plain and before.numel() * after.numel() <= products:
        return MatrixConvolution(convolution, before, after)
    if plain and before[0] == 1 and not isinstance(convolution.padding, str):
        return PatchConvolution(convolution, after)
    return copy.deepcopy(convolution).to(memory_format=torch.channels_last)


class MatrixConvolution(nn.Module):
    """A convolution as the matrix that takes a whole map ``before`` to ``after`` (channels, height, width)."""

    def __init__(self, convolution: nn.Conv2d, before: Size, after: Size) -> None:
        super().__init__()
        weight = convolution.weight
        taps, places = weight[0, 0].numel(), before[1:].numel()
        deltas = torch.eye(places, dtype=weight.dtype, device=weight.device).view(places, 1, *before[1:])
        kernels = torch.eye(taps, dtype=weight.dtype, device=weight.device).view(taps, 1, *convolution.kernel_size)
        # Which tap of the kernel leads from place p of the map before to place q of the map after: one or none.
        leads = F.conv2d(deltas, kernels, None, convolution.stride, convolution.padding, convolution.dilation)
        matrix = torch.einsum("ptq,oit->piqo", leads.flatten(2), weight.flatten(2))
        self.register_buffer("matrix", matrix.reshape(before.numel(), after.numel()))
        bias = convolution.bias
        self.register_buffer("bias", None if bias is None else bias.repeat(after[1:].numel()))
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        flat = x.permute(0, 2, 3, 1).reshape(len(x), -1)
        flat = flat @ self.matrix if self.bias is None else torch.addmm(self.bias, flat, self.matrix)
        channels, height, width = self.after
        return flat.view(-1, height, width, channels).permute(0, 3, 1, 2)


class PatchConvolution(nn.Module):
    """A convolution of a single channel as the product of all patches with the kernels; ``after`` as above."""

    def __init__(self, convolution: nn.Conv2d, after: Size) -> None:
        super().__init__()
        self.register_buffer("kernels", convolution.weight.flatten(1).t())
        self.register_buffer("bias", convolution.bias)
        self.settings = (convolution.kernel_size, convolution.dilation, convolution.padding, convolution.stride)
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, *self.settings).mT.reshape(-1, len(self.kernels))
        values = patches @ self.kernels if self.bias is None else torch.addmm(self.bias, patches, self.kernels)
        channels, height, width = self.after
        return values.view(-1, height, width, channels).permute(0, 3, 1, 2)
