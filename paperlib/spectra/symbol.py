"""The symbol of a circular convolution: a small matrix for each frequency, a sum of fixed matrices times phases."""

from dataclasses import dataclass
from itertools import product
from math import prod

import torch
from torch import Tensor

from paperlib.unfolding import ConvolutionMatrices, UnfoldingError


@dataclass(frozen=True)
class PhaseSum:
    """``sum_t matrices[t] exp(i <theta, places[t]>)`` at the frequencies ``theta`` of a ``grid``.

    ``places`` ``(terms, axes)`` int64, ``matrices`` ``(terms, groups, rows, columns)`` float64: one matrix for each
    group of channels.
    """

    grid: tuple[int, ...]
    places: Tensor
    matrices: Tensor

    def at(self, frequencies: Tensor) -> Tensor:
        """The sums at some frequencies ``(count, axes)``: ``(count, groups, rows, columns)`` complex128."""
        phases = self.phases(frequencies)
        flat = self.matrices.flatten(1)
        parts = [(part @ flat).unflatten(1, self.matrices.shape[1:]) for part in (phases.cos(), phases.sin())]
        return torch.complex(*parts)

    def phases(self, frequencies: Tensor) -> Tensor:
        """``<theta, places[t]>`` ``(count, terms)`` in radians."""
        turns = torch.zeros(len(frequencies), len(self.places), dtype=torch.float64, device=self.matrices.device)
        for axis, size in enumerate(self.grid):
            # Whole turns are taken off in integers, so that the phase has no error of its own.
            steps = frequencies[:, axis : axis + 1] * self.places[:, axis]
            turns += steps.remainder(size).double() / size
        return turns * (2 * torch.pi)


def symbol(matrices: ConvolutionMatrices, input_size: tuple[int, ...]) -> PhaseSum:
    """The symbol of a convolution with a circular boundary; wide, or square: its transpose where it would be tall.

    A stride s joins the s**axes frequencies that fall on one of the output's grid: entries of the input are sorted by
    their remainder, each of which becomes a channel of its own, and what is left is a convolution without stride on
    the output's grid. A kernel that is larger than the input is wrapped around it. The singular values of the
    operator matrix are those of the symbol at all frequencies of the grid.

    Raises ``UnfoldingError`` where a stride does not divide the size of its axis, and for sizes of another kind.
    """
    output_size = matrices.output_size(input_size, "circular")
    for size, stride in zip(input_size, matrices.stride, strict=True):
        if size % stride:
            raise UnfoldingError(
                f"a circular convolution of stride {matrices.stride} on an input of size {tuple(input_size)} has no "
                "symbol: each stride must divide the size of its axis; give another input_size, or use the operator"
            )
    groups, channels = matrices.groups, matrices.weight.shape[1]
    weight = matrices.weight.detach().double().unflatten(0, (groups, -1))
    found: dict[tuple[int, ...], Tensor] = {}
    for entry in product(*(range(side) for side in matrices.kernel)):
        place, phase = _polyphase(entry, input_size, matrices)
        if place not in found:
            found[place] = weight.new_zeros(groups, weight.shape[1], prod(matrices.stride), channels)
        found[place][:, :, phase] += weight[(..., *entry)]
    stacked = torch.stack(list(found.values())).flatten(3)
    tall = stacked.shape[2] > stacked.shape[3]
    places = torch.tensor(list(found), device=weight.device)
    return PhaseSum(output_size, places, stacked.mT.contiguous() if tall else stacked)


def gram(sum_: PhaseSum) -> PhaseSum:
    """Half of the terms of the Gram matrix ``W(theta) W(theta)^H``, which is this sum plus its conjugate transpose.

    The matrices are the sums of ``A_t A_u^T`` over pairs of terms with equal difference of places; a difference and
    its negative belong to transposed matrices, so that one of them is kept. Formed once, they make the Gram matrix at
    a frequency a sum of at most ``((2 k - 1)**axes + 1) / 2`` matrices, in place of a product of complex matrices.
    """
    sizes = torch.tensor(sum_.grid, device=sum_.places.device)
    found: dict[tuple[int, ...], Tensor] = {}
    for one, (place, matrix) in enumerate(zip(sum_.places, sum_.matrices, strict=True)):
        for other in range(one + 1):
            lag, term = place - sum_.places[other], matrix @ sum_.matrices[other].mT
            forward, backward = (tuple(lag.remainder(sizes).tolist()) for lag in (lag, -lag))
            term = term / 2 if one == other else term
            key, term = (forward, term) if forward <= backward else (backward, term.mT)
            found[key] = found[key] + term if key in found else term
    places = torch.tensor(list(found), device=sum_.places.device)
    return PhaseSum(sum_.grid, places, torch.stack(list(found.values())))


def half_frequencies(grid: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """One frequency of each pair that a real kernel makes conjugate, and its multiplicity, 2 or 1.

    ``(count, axes)`` int64 and ``(count,)``. The frequencies that are their own conjugates, with multiplicity 1, have
    0 or, where the size is even, half the size along every axis.
    """
    frequencies = torch.cartesian_prod(*(torch.arange(size) for size in grid)).reshape(-1, len(grid))
    flat, conjugate = torch.zeros((2, len(frequencies)), dtype=torch.int64)
    for axis, size in enumerate(grid):
        flat = flat * size + frequencies[:, axis]
        conjugate = conjugate * size + (-frequencies[:, axis]).remainder(size)
    kept = flat <= conjugate
    return frequencies[kept], 1 + (flat < conjugate)[kept].long()


def _polyphase(
    entry: tuple[int, ...], input_size: tuple[int, ...], matrices: ConvolutionMatrices
) -> tuple[tuple[int, ...], int]:
    """Place on the output's grid and number of the remainder, of one entry of the kernel."""
    place, phase = [], 0
    for step, size, stride, dilation in zip(entry, input_size, matrices.stride, matrices.dilation, strict=True):
        whole, rest = divmod(step * dilation % size, stride)
        place.append(whole)
        phase = phase * stride + rest
    return tuple(place), phase
