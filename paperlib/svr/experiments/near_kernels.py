"""Near-kernels throughout a network: every pair of consecutive convolutions (`svr`, Section 5.2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.subspaces.layers import linear_layer
from paperlib.svr.layers import layer_graph
from paperlib.svr.pruning.near_kernel import NearKernel, idle_neurons, near_kernel
from paperlib.svr.pruning.neuron_removal import OutputChange, chain_links, output_change, remove_neurons
from paperlib.unfolding import Convolution


@dataclass(frozen=True)
class KernelRow:
    """One pair of convolutions in numbers.

    ``spread`` is the largest over the smallest singular value of the earlier layer, ``gap`` the largest ratio of
    neighbouring singular values at a border of blocks, in the layer where it is smaller (1 without borders). ``rows``
    is the share of channels with more than 95 % of their row in one block, ``idle`` counts the channels that can go.
    """

    earlier: str
    channels: int
    blocks: tuple[int, ...]
    off_block: float
    off_block_chance: float
    spread: float
    gap: float
    rows: float
    idle: int


def near_kernels(model: nn.Module, images: Tensor, seed: int = 0) -> dict[str, NearKernel]:
    """`near_kernel` of each convolution that feeds one convolution alone, by the earlier one's path."""
    found = {}
    for link in chain_links(layer_graph(model, images)):
        earlier, later = linear_layer(model, link.earlier), linear_layer(model, link.later)
        if isinstance(earlier, Convolution) and isinstance(later, Convolution):
            rotation = torch.Generator().manual_seed(seed)
            found[link.earlier] = near_kernel(earlier, later, rotation=rotation, seed=seed)
    return found


def kernel_rows(found: Mapping[str, NearKernel]) -> list[KernelRow]:
    """What `KernelRow` says of each pair of a network, in order."""
    return [_row(path, pair) for path, pair in found.items()]


def _row(path: str, found: NearKernel) -> KernelRow:
    values = found.earlier.S
    gaps = [min(border.earlier_gap, border.later_gap) for border in found.blocks.borders]
    return KernelRow(
        earlier=path,
        channels=len(found.earlier.U),
        blocks=tuple(len(columns) for columns in found.blocks.columns),
        off_block=found.blocks.off_block,
        off_block_chance=found.blocks.off_block_chance,
        spread=(values[0] / values[-1]).item(),
        gap=max(gaps, default=1.0),
        rows=found.clear(),
        idle=len(idle_neurons(found)),
    )


@dataclass(frozen=True)
class IdleRemoval:
    """All idle channels of a network taken out at once: how many, the parameters, and what it does to the outputs."""

    channels: int
    removed: int
    parameters_before: int
    parameters: int
    change: OutputChange


def remove_idle(model: nn.Module, images: Tensor, found: Mapping[str, NearKernel]) -> IdleRemoval:
    """Remove the channels that `idle_neurons` names, of each layer as many as leave one; compare on ``images``."""
    chosen = {}
    for path, pair in found.items():
        idle = idle_neurons(pair)
        if 0 < len(idle) < len(pair.earlier.U):
            chosen[path] = idle
    pruned = remove_neurons(model, images, chosen)
    return IdleRemoval(
        channels=sum(len(pair.earlier.U) for pair in found.values()),
        removed=sum(len(part.neurons) for part in pruned.removed),
        parameters_before=pruned.parameters_before,
        parameters=pruned.parameters,
        change=output_change(model, pruned.model, images),
    )
