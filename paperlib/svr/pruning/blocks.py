"""Diagonal blocks of an adjacency matrix: groups of spectral neurons that talk to each other only (`svr`, Section 5.2).

No data is needed. The neurons of both layers are in the order of their singular values, and so are the blocks: the
first one holds the leading neurons of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor

from paperlib.svr.adjacency import Adjacency

# Shares of energy below this are nothing, and borders whose leakage differs by less are equally good: weights in
# single precision tell no more.
_NOTHING = 1e-6


@dataclass(frozen=True)
class Border:
    """A place where a matrix may part into two diagonal blocks: before ``row`` and before ``column``, 0-based.

    ``leakage`` is the energy outside the two blocks over the energy that a matrix of equal entries has there: 0 for
    exact blocks, about 1 without any. ``chance`` is the leakage of the best border of a random matrix (the median of
    some), and ``p_value`` the probability that a random one has a border as good. The gaps are the ratios of the
    singular values before and behind, in the later and the earlier layer.
    """

    row: int
    column: int
    leakage: float
    chance: float
    p_value: float
    later_gap: float
    earlier_gap: float


@dataclass(frozen=True)
class BlockStructure:
    """The diagonal blocks of a matrix ``shape`` ``(M_later, M_earlier)``.

    ``borders`` part neighbouring blocks, from the top; there are none where the matrix has no blocks. ``refused`` has
    the best border inside each block, which shows how far the block is from being two. ``off_block`` is
    the share of the matrix' energy outside its blocks, ``off_block_chance`` that of equal entries.
    """

    shape: tuple[int, int]
    borders: tuple[Border, ...]
    refused: tuple[Border, ...]
    off_block: float
    off_block_chance: float

    @property
    def rows(self) -> tuple[range, ...]:
        """The spectral neurons of the later layer in each block."""
        return _ranges([border.row for border in self.borders], self.shape[0])

    @property
    def columns(self) -> tuple[range, ...]:
        """The spectral neurons of the earlier layer in each block."""
        return _ranges([border.column for border in self.borders], self.shape[1])

    def __len__(self) -> int:
        return len(self.borders) + 1


def diagonal_blocks(
    found: Adjacency,
    later_values: Tensor,
    earlier_values: Tensor,
    *,
    leakage: float = 0.1,
    p: float = 0.01,
    draws: int = 100,
    seed: int = 0,
) -> BlockStructure:
    """Part an adjacency matrix, as a rule that of SVR to co-SVR, into as many diagonal blocks as it has.

    The border that leaks least parts a block in two if its leakage is at most ``leakage`` and a random matrix has one
    as good with probability ``p`` at most; the parts are then parted in the same way. Of borders that leak equally
    little the one with the largest gaps of the singular values, on a logarithmic scale, is taken. Random matrices,
    ``draws`` of them for each block, are parts of uniformly distributed orthogonal ones with the block's energy.

    ``later_values`` ``(M_later,)`` and ``earlier_values`` ``(M_earlier,)`` are the singular values, decreasing. Blocks
    that are not on the diagonal, as of neurons that are strong in one layer and weak in the other, are not found.
    Neurons without a counterpart, rows or columns without energy, are no block by themselves.

    Raises ``ValueError`` for singular values of other numbers than the matrix has rows and columns, or settings out
    of range.
    """
    shape = tuple(found.coefficients.shape)
    if (len(later_values), len(earlier_values)) != shape:
        raise ValueError(
            f"{len(later_values)} and {len(earlier_values)} singular values of the later and the earlier layer do not "
            f"fit a matrix of {shape[0]} x {shape[1]}"
        )
    if not 0 <= leakage <= 1 or not 0 < p < 1 or (draws + 1) * p < 1:
        raise ValueError(
            f"leakage is {leakage}, p {p} and draws {draws}; expected a leakage in [0, 1], p in (0, 1) and draws from "
            "1 / p - 1 up, without which no p-value is as small"
        )
    energies = found.coefficients.double().cpu()
    gaps = tuple((values[:-1] / values[1:]).double().cpu() for values in (later_values, earlier_values))
    generator = torch.Generator().manual_seed(seed)
    borders, refused = [], []
    waiting = [(0, shape[0], 0, shape[1])]
    while waiting:
        top, bottom, left, right = waiting.pop()
        block = energies[top:bottom, left:right]
        if min(block.shape) < 2 or block.sum() <= _NOTHING * min(block.shape):
            continue
        ratios = gaps[0][top : bottom - 1], gaps[1][left : right - 1]
        random = [_random_energies(block, found, generator) for _ in range(draws)]
        border = _best_border(block, ratios, random)
        if border is None:
            continue
        border = replace(border, row=top + border.row, column=left + border.column)
        if border.leakage <= leakage and border.p_value <= p:
            borders.append(border)
            waiting += [(top, border.row, left, border.column), (border.row, bottom, border.column, right)]
        else:
            refused.append(border)
    return _structure(energies, borders, refused)


def _best_border(energies: Tensor, gaps: tuple[Tensor, Tensor], random: Sequence[Tensor]) -> Border | None:
    leaking = _leakages(energies)
    least = leaking.min().item()
    if least == torch.inf:
        return None
    scores = gaps[0].log().unsqueeze(1) + gaps[1].log()
    row, column = divmod(int(scores.where(leaking <= least + _NOTHING, -torch.inf).argmax()), leaking.shape[1])
    chance = torch.stack([_leakages(one).min() for one in random])
    return Border(
        row=row + 1,
        column=column + 1,
        leakage=least,
        chance=chance.median().item(),
        p_value=(1 + int((chance <= least).sum())) / (1 + len(random)),
        later_gap=gaps[0][row].item(),
        earlier_gap=gaps[1][column].item(),
    )


def _leakages(energies: Tensor) -> Tensor:
    """The leakage ``(R - 1, C - 1)`` of every border of a matrix ``(R, C)``; infinite where a part has no energy."""
    sums = energies.cumsum(0).cumsum(1)
    before = sums[:-1, :-1]
    outside = sums[:-1, -1:] + sums[-1:, :-1] - 2 * before
    empty = torch.minimum(before, sums[-1, -1] - outside - before) <= _NOTHING * sums[-1, -1]
    rows, columns = energies.shape
    i = torch.arange(1, rows, dtype=torch.float64).unsqueeze(1)
    j = torch.arange(1, columns, dtype=torch.float64)
    chance = sums[-1, -1] * (i * (columns - j) + (rows - i) * j) / (rows * columns)
    # Differences of sums that cancel may be negative by rounding.
    return (outside / chance).clamp_min(0).where(~empty, torch.inf)


def _random_energies(energies: Tensor, found: Adjacency, generator: torch.Generator) -> Tensor:
    """A random matrix of the same shape and, as far as the layers have the channels for it, the same mean."""
    rows, columns = energies.shape
    degrees = max(1, round(found.degrees))
    # A random direction has the mean energy 1 / channels on another one.
    channels = min(round(rows * columns / energies.sum().item()), ceil(found.channels))
    channels = max(channels, columns, ceil(rows / degrees))
    # One side may be any basis, such as that of the channels; the other one is then uniformly distributed.
    V = torch.linalg.qr(torch.randn(channels * degrees, rows, dtype=torch.float64, generator=generator)).Q
    return V.unflatten(0, (channels, degrees))[:columns].square().sum(1).mT


def _structure(energies: Tensor, borders: list[Border], refused: list[Border]) -> BlockStructure:
    ordered, tried = (tuple(sorted(some, key=lambda border: border.row)) for some in (borders, refused))
    shape = tuple(energies.shape)
    found = BlockStructure(shape, ordered, tried, 0.0, 0.0)
    blocks = [
        (slice(rows.start, rows.stop), slice(columns.start, columns.stop))
        for rows, columns in zip(found.rows, found.columns, strict=True)
    ]
    total = energies.sum()
    within = sum(energies[block].sum() for block in blocks)
    area = sum(energies[block].numel() for block in blocks)
    off = ((total - within) / total).clamp_min(0).item() if total > 0 else 0.0
    return BlockStructure(shape, ordered, tried, off, 1 - area / energies.numel())


def _ranges(borders: list[int], stop: int) -> tuple[range, ...]:
    edges = [0, *borders, stop]
    return tuple(range(start, end) for start, end in pairwise(edges))
