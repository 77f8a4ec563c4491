"""Programs of ``torch.export``: their graph made ready to be recorded, and models exported where torch.fx fails."""

import copy
import operator
import warnings

import torch
from torch import Tensor, fx, nn
from torch._ops import OpOverload
from torch.export import Dim, ExportedProgram

from paperlib.operators.errors import ShapeError
from paperlib.operators.rules import known
from paperlib.operators.rules.layout import piece

_ATEN = torch.ops.aten
# Operations that give a tensor first and what only training needs behind it.
_FIRST_COUNTS = {
    _ATEN._native_batch_norm_legit_no_training, _ATEN._native_batch_norm_legit, _ATEN.native_group_norm,
    _ATEN.native_layer_norm, _ATEN.max_pool2d_with_indices, _ATEN.max_pool3d_with_indices,
}  # fmt: skip
_CUTS = {
    torch.chunk, torch.split, torch.tensor_split, "chunk", "split", "tensor_split", _ATEN.chunk, _ATEN.split,
    _ATEN.split_with_sizes, _ATEN.tensor_split,
}  # fmt: skip
_CHECKS = {_ATEN._assert_tensor_metadata, _ATEN._assert_scalar, _ATEN._assert_async, _ATEN.sym_constrain_range_for_size}


def as_module(model: nn.Module | ExportedProgram) -> nn.Module:
    """The model as a module that can be called."""
    return model.module() if isinstance(model, ExportedProgram) else model


def is_exported(model: nn.Module) -> bool:
    """Whether a module is made of operations of aten."""
    return isinstance(model, fx.GraphModule) and any(isinstance(node.target, OpOverload) for node in model.graph.nodes)


def export(model: nn.Module, images: Tensor) -> fx.GraphModule:
    """The model as an exported program for images ``(batch, *shape)``, of any batch size where the model allows it.

    Raises what ``torch.export`` raises where it cannot follow the model.
    """
    # Two images, because torch.export takes the size 1 for a constant.
    example = images[:1].expand(2, *images.shape[1:])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(model, (example,), dynamic_shapes=({0: Dim.AUTO},), strict=False)
        if input_shape(program.module(check_guards=False).graph)[0] is not None:
            program = torch.export.export(model, (images,), strict=False)
        return program.module(check_guards=False)


def check_input(graph: fx.Graph, images: Tensor) -> None:
    """Raise ``ShapeError`` unless images have the shape for which the program was exported."""
    wanted, given = input_shape(graph), tuple(images.shape)
    if not wanted:
        return
    if len(wanted) == len(given) and all(got == side for got, side in zip(given, wanted, strict=True) if side):
        return
    shape = f"({', '.join(str(side or 'any') for side in wanted)})"
    mend = "export the model for images of this shape"
    if wanted[1:] == given[1:]:
        parts = "image by image" if wanted[0] == 1 else f"in batches of {wanted[0]}"
        mend = f"export the model with a batch size of {given[0]} (or a dynamic one), or freeze it {parts}"
    raise ShapeError(f"the program was exported for images of shape {shape}, got {given}: {mend}")


def input_shape(graph: fx.Graph) -> tuple[int | None, ...]:
    """Shape for which a program was exported, None for a side that may differ; empty where the graph does not say."""
    (source,) = (node for node in graph.nodes if node.op == "placeholder")
    shape = source.meta["val"].shape if "val" in source.meta else ()
    return tuple(side if isinstance(side, int) else None for side in shape)


def cleaned(graph: fx.Graph) -> fx.Graph:
    """A copy in which every node gives one tensor, without the checks of the input that an exported program makes."""
    with warnings.catch_warnings():
        # torch copies parts of its own in a way that it has deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        graph = copy.deepcopy(graph)
    for node in list(graph.nodes):
        if known(node.target) in _CHECKS or (_comes_from_export(graph) and _is_guard(node)):
            graph.erase_node(node)
            continue
        if node.op == "output" and _comes_from_export(graph):
            _unwrap(graph, node)
        elif isinstance(node.target, OpOverload):
            _read_what_was_written(node)
        for reader in list(node.users):
            if reader.target is operator.getitem and isinstance(reader.args[1], int):
                _take(graph, node, reader)
    return graph


def _comes_from_export(graph: fx.Graph) -> bool:
    return hasattr(graph._codegen, "pytree_info")


def _is_guard(node: fx.Node) -> bool:
    # An exported program calls no layers; a module that it calls and whose result nobody reads checks the input.
    return node.op == "call_module" and not node.users


def _unwrap(graph: fx.Graph, output: fx.Node) -> None:
    """Give the one tensor of a model that returns one; a program always returns a tuple."""
    if graph._codegen.pytree_info.out_spec.is_leaf():
        output.args = output.args[0]


def _read_what_was_written(node: fx.Node) -> None:
    """After an operation in place, whoever reads the old value reads the new one, as in torch's memory."""
    first = node.target._schema.arguments[0] if node.target._schema.arguments else None
    if first is not None and first.alias_info is not None and first.alias_info.is_write:
        node.args[0].replace_all_uses_with(node, delete_user_cb=lambda reader: reader > node)


def _take(graph: fx.Graph, node: fx.Node, reader: fx.Node) -> None:
    """Replace the element of a tuple by a node that gives it alone."""
    function = None if node.op == "call_module" else known(node.target)
    index = reader.args[1]
    if function in _FIRST_COUNTS and index == 0:
        reader.replace_all_uses_with(node)
    elif function in _CUTS:
        with graph.inserting_before(reader):
            taken = graph.call_function(piece, (index, node.target, *node.args), node.kwargs)
        taken.meta.update(node.meta)
        reader.replace_all_uses_with(taken)
    if not reader.users:
        graph.erase_node(reader)
    if function in _CUTS and not node.users:
        graph.erase_node(node)
