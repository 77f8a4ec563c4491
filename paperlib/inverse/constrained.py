"""An inverse whose pre-images stay inside the ranges of the activations, layer by layer and again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.inverse.activations import interior, invert_in_float64, limits, moved_inside, outside_range
from paperlib.inverse.box import box_least_squares
from paperlib.inverse.layers import Activation, AffineMap, Chain
from paperlib.inverse.newton import gauss_newton

# How near to a bound (as a share of the distance scale) a pre-image may come where the network itself has been there.
_NEAREST = 1e-6
# How much of the wanted output the rounding of the input found may cost.
_ROUNDING = 1e-3
# A sweep that brings a sample nearer halves its weight, one that does not is undone and multiplies its weight.
_SHRINK, _GROW = 0.5, 8.0
_WEIGHTS = (1e-4, 1e6)


@dataclass(frozen=True)
class Round:
    """Relative distances ``|reached - wanted| / |wanted|`` after a round of the search, each sample at its best so far.

    ``kind`` is ``"sweep"`` (back through the layers) or ``"step"`` (of Gauss-Newton on the whole network);
    ``unconverged`` counts the box problems of a sweep that stopped before their tolerance.
    """

    kind: str
    median: float
    largest: float
    unconverged: int = 0


@dataclass(frozen=True)
class ConstrainedInverse:
    """Flattened inputs ``(count, n)`` in float64, and how they were found.

    ``targets`` ``(count, m)`` are what was wanted of the last map. ``left_range`` ``(activations, count)`` marks the
    samples whose wanted outputs are outside the range of an activation after the last map, first activation first.
    """

    inputs: Tensor
    targets: Tensor
    left_range: Tensor
    history: tuple[Round, ...]


@dataclass(frozen=True)
class _Block:
    """An affine map and the activations between it and the map before it."""

    before: tuple[nn.Module, ...]
    map: AffineMap


def constrained_inverse(
    chain: Chain,
    wanted: Tensor,
    *,
    sweeps: int,
    margin: float,
    weight: float,
    refinements: int,
    clip: float,
    dtype: torch.dtype,
    tolerance: float = 1e-9,
) -> ConstrainedInverse:
    """Inputs of ``chain`` whose outputs come near to ``wanted`` ``(count, m)``.

    A sweep goes back from the last map. The input h wanted of a map, to give z, is the one that minimises
    ``|W h - z|^2 + weight s_0^2 |h - reference|^2`` while it stays inside the range of the activations before, by
    ``margin`` times their distance scale (`paperlib.inverse.activations.interior`), or by what the reference has
    where that is less. Where the range is all numbers it is the one nearest to the reference among those whose output
    is nearest to z. Then the network runs forwards on the input found, and its own activations are the references of
    the next sweep; those of the first belong to the input of zeros. Each sample keeps its best sweep: one that came
    nearer halves its weight, one that did not starts again from its best with eight times the weight. A sweep is also
    undone where its input is so large that rounding it to ``dtype`` moves the output by 0.001 of what is wanted.

    Then at most ``refinements`` steps of `gauss_newton` take the samples on that are not there. A sample is there at a
    relative distance of ``tolerance``. Without sweeps the steps begin at the input of zeros. Wanted outputs outside
    the range of a last activation are moved ``clip`` inside for the sweeps, not for the steps and the distances.
    """
    blocks, last = _blocks(chain)
    targets, left = _before_last(last, wanted, clip)
    wanted = wanted.double()
    if not blocks:
        return ConstrainedInverse(targets, targets, left, ())
    inputs = wanted.new_zeros(len(wanted), _width(blocks))
    goal, history = tolerance * wanted.norm(dim=1), []
    for found, distances, unconverged in _sweeps(blocks, last, targets, wanted, goal, sweeps, margin, weight, dtype):
        inputs = found
        history.append(_round("sweep", distances, wanted, unconverged))
    for found, distances in gauss_newton(chain, inputs, wanted, goal, refinements):
        inputs = found
        history.append(_round("step", distances, wanted))
    return ConstrainedInverse(inputs, targets, left, tuple(history))


def relative_distances(distances: Tensor, wanted: Tensor) -> Tensor:
    """Distances ``(count,)`` over the norms of ``wanted`` ``(count, m)``; 0 for 0 of 0, infinite for others of 0."""
    return torch.where(distances == 0, 0.0, distances / wanted.double().norm(dim=1))


def _round(kind: str, distances: Tensor, wanted: Tensor, unconverged: int = 0) -> Round:
    relative = relative_distances(distances, wanted)
    return Round(kind, relative.median().item(), relative.max().item(), unconverged)


def _blocks(chain: Chain) -> tuple[list[_Block], tuple[nn.Module, ...]]:
    """The maps with the activations before each, and the activations after the last."""
    blocks: list[_Block] = []
    before: tuple[nn.Module, ...] = ()
    for step in chain.steps:
        if isinstance(step, Activation):
            before = (*before, step.module)
        else:
            blocks.append(_Block(before, step))
            before = ()
    return blocks, before


def _before_last(last: Sequence[nn.Module], wanted: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """What is wanted of the last map, in float64, and which samples had to be moved for each activation after it."""
    targets, left = wanted, []
    for module in reversed(last):
        left.append(outside_range(module, targets).any(1))
        targets = invert_in_float64(module, moved_inside(module, targets, clip), None, "")
    none = torch.zeros(0, len(wanted), dtype=torch.bool, device=wanted.device)
    return targets.double(), torch.stack(left[::-1]) if left else none


def _sweeps(
    blocks: Sequence[_Block],
    last: Sequence[nn.Module],
    targets: Tensor,
    wanted: Tensor,
    goal: Tensor,
    sweeps: int,
    margin: float,
    weight: float,
    dtype: torch.dtype,
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Inputs, distances and the number of unconverged box problems after each sweep."""
    inputs = wanted.new_zeros(len(wanted), _width(blocks))
    references, reached = _forwards(blocks, last, inputs)
    # Copies: an input of a block without activations before it is the tensor that is read and written here.
    references = [part.clone() for part in references]
    distances, weights = (reached - wanted).norm(dim=1), wanted.new_full((len(wanted),), weight)
    for _ in range(sweeps):
        rows = (distances > goal).nonzero().squeeze(1)
        if not len(rows):
            return
        tried, unconverged = _back(blocks, targets[rows], [part[rows] for part in references], weights[rows], margin)
        activations, reached = _forwards(blocks, last, tried)
        distance = (reached - wanted[rows]).norm(dim=1)
        _, rounded = _forwards(blocks, last, tried.to(dtype).double())
        held = (rounded - reached).norm(dim=1) <= _ROUNDING * wanted[rows].norm(dim=1)
        nearer = held & (distance < distances[rows])
        weights[rows] = (weights[rows] * torch.where(nearer, _SHRINK, _GROW)).clamp(*_WEIGHTS)
        kept = rows[nearer]
        inputs[kept], distances[kept] = tried[nearer], distance[nearer]
        for reference, activation in zip(references, activations, strict=True):
            reference[kept] = activation[nearer]
        yield inputs.clone(), distances.clone(), unconverged


def _width(blocks: Sequence[_Block]) -> int:
    return blocks[0].map.matrix.shape[1]


def _back(
    blocks: Sequence[_Block], z: Tensor, references: Sequence[Tensor], weights: Tensor, margin: float
) -> tuple[Tensor, int]:
    """Inputs for the outputs ``z`` of the last map, and how many box problems did not converge."""
    unconverged = 0
    for block, reference in zip(reversed(blocks), reversed(references), strict=True):
        z, stopped = _preimage(block, z, reference, weights, margin)
        unconverged += stopped
        for module in reversed(block.before):
            z = invert_in_float64(module, z, _NEAREST, "")
    return z, unconverged


def _preimage(block: _Block, z: Tensor, reference: Tensor, weights: Tensor, margin: float) -> tuple[Tensor, int]:
    if limits(*block.before) == (-torch.inf, torch.inf):
        return block.map.invert(z, reference), 0
    reference = reference.clamp(*interior(*block.before, margin=_NEAREST))
    low, high = (reference.new_tensor(bound) for bound in interior(*block.before, margin=margin))
    # Where the network itself came nearer to the bound than the margin, it may stay, but not go on.
    low, high = torch.minimum(low, reference), torch.maximum(high, reference)
    spaces = block.map.spaces
    scale = spaces.S[0].item() ** 2 if spaces.rank else 1.0
    solution = box_least_squares(spaces, z - block.map.bias, reference, low, high, weights * scale)
    return solution.solutions, int((~solution.converged).sum())


def _forwards(blocks: Sequence[_Block], last: Sequence[nn.Module], x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Input of each map, and the output, for flattened inputs ``x``."""
    inputs = []
    for block in blocks:
        for module in block.before:
            x = module(x)
        inputs.append(x)
        x = block.map(x)
    for module in last:
        x = module(x)
    return inputs, x
