"""Networks with less in them: fewer spectral neurons, or without the channels that are near two layers' kernels."""

from paperlib.svr.pruning.blocks import BlockStructure, Border, diagonal_blocks
from paperlib.svr.pruning.compression import CompressedLayer, CompressedNetwork, RankReading, compress, internal_ranks
from paperlib.svr.pruning.near_kernel import NearKernel, idle_neurons, near_kernel, rotated
from paperlib.svr.pruning.neuron_removal import (
    OutputChange,
    PrunedNetwork,
    RemovedNeurons,
    chain_links,
    output_change,
    remove_neurons,
)

__all__ = [
    "BlockStructure", "Border", "CompressedLayer", "CompressedNetwork", "NearKernel", "OutputChange", "PrunedNetwork",
    "RankReading", "RemovedNeurons", "chain_links", "compress", "diagonal_blocks", "idle_neurons", "internal_ranks",
    "near_kernel", "output_change", "remove_neurons", "rotated",
]  # fmt: skip
