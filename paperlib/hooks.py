"""Seeing what enters the layers of a network while it runs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from torch import Tensor, nn


@contextmanager
def watching_inputs(layers: Mapping[str, nn.Module], visit: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Inside, ``visit(path, x)`` gets the input of each of the ``layers`` by path, just before the layer runs.

    ``x`` is detached and shares its memory with the network's own tensor: a layer behind may overwrite it in place, so
    keep a copy where it is needed later. The hooks are gone behind, whatever happens.
    """

    def before(path: str, _layer: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        visit(path, (inputs[0] if inputs else named["input"]).detach())

    handles = [
        layer.register_forward_pre_hook(partial(before, path), with_kwargs=True) for path, layer in layers.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
