"""Batch norms that only scale the outputs of the linear layer before them, found from the model's own graph."""

from torch import Tensor, fx, nn

from paperlib.svr.layers import GraphError, traced_graph
from paperlib.unfolding import Convolution

_Linear = nn.Linear | Convolution
_BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


def batch_norm_scales(model: nn.Module) -> dict[str, Tensor]:
    """What batch norms multiply the output channels of linear layers by: ``(c_out,)`` float64 by the layer's path.

    In evaluation a batch norm multiplies each channel by ``weight / sqrt(running_var + eps)``; its shift is a bias and
    has no part in the singular value representation. Folded is one that directly follows a fully connected layer or a
    convolution whose outputs go nowhere else. All others scale what no single layer writes, or what others read too:
    in front of a layer, behind an activation, a pooling, a sum or a concatenation, or behind a layer that runs several
    times. They have no entry and are left out, as all are where batch norms are ignored.

    Raises ``GraphError`` where the model cannot be traced, or a norm to be folded has no running statistics.
    """
    graph = traced_graph(model, _Linear | _BatchNorm)
    modules = dict(model.named_modules(remove_duplicate=False))
    runs = [node.target for node in graph.nodes if node.op == "call_module"]
    scales = {}
    for node in graph.nodes:
        (before, *others) = node.all_input_nodes or [None]
        if others or not _is(node, modules, _BatchNorm) or not _is(before, modules, _Linear):
            continue
        norm, layer = modules[node.target], modules[before.target]
        fits = norm.num_features == len(layer.weight)
        if fits and len(before.users) == 1 and runs.count(before.target) == 1:
            scales[before.target] = _scale(norm, node.target)
    return scales


def _is(node: fx.Node | None, modules: dict[str, nn.Module], kinds) -> bool:
    return node is not None and node.op == "call_module" and isinstance(modules[node.target], kinds)


def _scale(norm: nn.Module, path: str) -> Tensor:
    if norm.running_var is None:
        raise GraphError(
            f"batch norm {path!r} keeps no running statistics, so that its scale depends on the batch; it cannot be "
            "folded, only ignored"
        )
    scale = (norm.running_var.detach().double() + norm.eps).rsqrt()
    return scale if norm.weight is None else scale * norm.weight.detach().double()


def folded(weights: Tensor, scale: Tensor) -> Tensor:
    """Weights ``(c_out, ...)`` with each output channel multiplied by its scale, in the weights' own dtype."""
    return (weights.double() * scale.reshape(-1, *[1] * (weights.dim() - 1))).to(weights.dtype)
