"""Neurons between two layers that the weights alone show to be idle: near-kernel blocks (`svr`, Section 5.2.2).

>>> import torch
>>> from torch import nn
>>> from paperlib.svr.pruning.near_kernel import idle_neurons, near_kernel
>>> earlier, later = nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(8, 6, 3, bias=False)
>>> with torch.no_grad():
...     _ = earlier.weight[5:].mul_(1e-4), later.weight[:, 5:].mul_(1e-4)
>>> found = near_kernel(earlier, later)
>>> [len(columns) for columns in found.blocks.columns], found.blocks.off_block < 1e-6
([5, 3], True)
>>> idle_neurons(found).tolist()
[5, 6, 7]
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from paperlib.svd.triplets import with_signs
from paperlib.svr.adjacency import Adjacency, adjacency
from paperlib.svr.neurons import SpectralNeurons, spectral_neurons
from paperlib.svr.pruning.blocks import BlockStructure, diagonal_blocks


@dataclass(frozen=True)
class NearKernel:
    """What the SVR of one layer and the co-SVR of the next say of the c neurons (channels) between them.

    ``mixed`` holds the squares of ``V~_later^T U_earlier`` and ``blocks`` its diagonal blocks. ``written``
    ``(c, blocks + 1)`` float64 is the energy of each neuron's row of ``U_earlier`` in the columns of each block, and
    ``read`` the same of ``V~_later``. Rows sum to 1: the last column is what lies outside all spectral neurons, in the
    kernel proper, and is 0 for a layer with as many spectral neurons as c.
    """

    earlier: SpectralNeurons
    later: SpectralNeurons
    mixed: Adjacency
    blocks: BlockStructure
    written: Tensor
    read: Tensor

    @property
    def block(self) -> Tensor:
        """The block ``(c,)`` int64 that holds most of each neuron's output representation; the last one is outside."""
        return self.written.argmax(1)

    def clear(self, share: float = 0.95) -> float:
        """Fraction in [0, 1] of the neurons that have more than ``share`` of their row in one block (Figure 8).

        It says something where there are two blocks or more: a single one has all rows.
        """
        return (self.written.amax(1) > share).double().mean().item()


def near_kernel(
    earlier: nn.Module,
    later: nn.Module,
    *,
    tolerance: float = 1e-12,
    rotation: torch.Generator | None = None,
    leakage: float = 0.1,
    p: float = 0.01,
    draws: int = 100,
    seed: int = 0,
) -> NearKernel:
    """Find the diagonal blocks of the matrix from the SVR of a layer to the co-SVR of the next (`svr`, Section 5.2.2).

    Singular values down to ``tolerance`` times the largest count, far below the rounding of float32 weights as a
    whole: those of idle neurons are small because their own weights are, and these are as accurate as all others.
    With a ``rotation`` generator the singular vectors are `rotated`. ``leakage``, ``p``, ``draws`` and ``seed`` are
    those of `diagonal_blocks`.

    Raises ``ValueError`` for a layer whose weights are all 0, and what `spectral_neurons`, `adjacency` and
    `diagonal_blocks` raise.
    """
    writing = spectral_neurons(earlier, "svr", tolerance=tolerance)
    reading = spectral_neurons(later, "co_svr", tolerance=tolerance)
    if not len(writing) or not len(reading):
        raise ValueError(f"all weights of the {'later' if len(writing) else 'earlier'} layer are 0; it has no neurons")
    if rotation is not None:
        writing, reading = rotated(writing, rotation), rotated(reading, rotation)
    mixed = adjacency(reading, writing)
    blocks = diagonal_blocks(mixed, reading.S, writing.S, leakage=leakage, p=p, draws=draws, seed=seed)
    return NearKernel(
        earlier=writing,
        later=reading,
        mixed=mixed,
        blocks=blocks,
        written=_energies(writing.U, len(writing.U), blocks.columns),
        read=_energies(reading.V, len(writing.U), blocks.rows),
    )


def _rows(representations: Tensor, channels: int) -> Tensor:
    """Energy of each channel in each spectral neuron, ``(c, M)``: the mean over the places of a channel."""
    return representations.reshape(channels, -1, representations.shape[-1]).square().mean(1)


def _energies(representations: Tensor, channels: int, blocks: Sequence[range]) -> Tensor:
    """Energy of each channel's row in the columns of each block and outside of them, ``(c, blocks + 1)``."""
    rows = _rows(representations, channels)
    within = [rows[:, block.start : block.stop].sum(1) for block in blocks]
    return torch.stack([*within, (1 - rows.sum(1)).clamp_min(0)], dim=1)


def idle_neurons(found: NearKernel, *, negligible: float = 1e-3, share: float = 0.95) -> Tensor:
    """The neurons between two layers that can go, as int64 indices: those of blocks that count for neither layer.

    A spectral neuron counts where its singular value is more than ``negligible`` times its layer's largest. A neuron
    is idle where its row has less energy in those that count than ``1 - share`` of what rows have on average, both in
    what the earlier layer writes and in what the later one reads. So the neurons of a block with negligible values in
    both layers are idle; and so are neurons that only one of the layers has such spectral neurons for, which make no
    block. Neurons that one layer alone neglects are not, though they may do nothing either. A batch norm between the
    layers makes small outputs large again, and what many neurons contribute adds up: `output_change` tells whether
    ``negligible`` is small enough.
    """
    idle = torch.ones(len(found.written), dtype=torch.bool, device=found.written.device)
    for representations, values in ((found.earlier.U, found.earlier.S), (found.later.V, found.later.S)):
        rows = _rows(representations, len(idle))
        counting = rows[:, values > negligible * values[0]].sum(1)
        idle &= counting < (1 - share) * rows.sum(1).mean()
    return idle.nonzero().flatten()


def rotated(neurons: SpectralNeurons, generator: torch.Generator) -> SpectralNeurons:
    """The same layer decomposed once more behind random rotations, which are then undone.

    Inside a degenerate singular value any basis is right, and a solver tends to return one that is sparse in the
    channels; the rotated one has no such preference. Neurons of distinct singular values stay as they are. The
    authors rotate the weights themselves; rotating the diagonal matrix of the singular values is the same and costs
    the cube of their number only.
    """
    R, Q = (_haar(len(neurons), generator) for _ in range(2))
    U, _, Vh = torch.linalg.svd(R @ (neurons.S.cpu().unsqueeze(1) * Q))
    device = neurons.S.device
    left, right = neurons.U.flatten(0, 1) @ (R.mT @ U).to(device), neurons.V.flatten(0, 1) @ (Q @ Vh.mT).to(device)
    left, right = with_signs(left, right.mT)
    # Degenerate neurons of several groups mix.
    return replace(neurons, U=left.reshape(neurons.U.shape), V=right.mT.reshape(neurons.V.shape), groups=1)


def _haar(size: int, generator: torch.Generator) -> Tensor:
    Q, R = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=generator))
    return Q * R.diagonal().sign()
