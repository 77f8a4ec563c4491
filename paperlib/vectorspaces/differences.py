"""Where the authors' public notebook does something else, and where the paper's words need a check: both as numbers."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from paperlib.ideal_inputs import OutputRanges, ideal_outputs
from paperlib.subspaces import FourSpaces, energy, overlap, project, residual


def left_null_overlaps(spaces: FourSpaces) -> dict[str, float]:
    """Overlap with the column space of what is taken for the left null space: their columns repeat it, ours do not."""
    return {
        "theirs": overlap(spaces.column_space, spaces.column_space),
        "ours": overlap(spaces.column_space, spaces.left_null_space),
    }


def ideal_minimum_change(ranges: OutputRanges) -> float:
    """Relative change of the ideal outputs when the smallest value of unit c is copied to the nine other units."""
    own, copied = (ideal_outputs(ranges, rule) for rule in ("per_unit", "copied"))
    return ((copied - own).norm() / own.norm()).item()


def rejected_part_changes(model: nn.Module, spaces: FourSpaces, images: Tensor, generator: torch.Generator) -> dict:
    """How far images can be changed in the first layer's null space, and how far the outputs change with them.

    The change is random in the null space and as long as the image. Both numbers are the largest over the images,
    relative to the norm of image and output.
    """
    flat = images.flatten(1).double()
    noise = residual(spaces.row_space, torch.randn(flat.shape, generator=generator, dtype=torch.float64))
    moved = flat + noise * (energy(flat) / energy(noise)).sqrt().unsqueeze(1)
    with torch.no_grad():
        before = model.double()(images.double())
        after = model(moved.reshape(images.shape))
    model.float()
    return {
        "image_change": ((moved - flat).norm(dim=1) / flat.norm(dim=1)).max().item(),
        "output_change": ((after - before).norm(dim=1) / before.norm(dim=1)).max().item(),
    }


def decomposition_errors(matrix: Tensor, spaces: FourSpaces, x: Tensor) -> dict[str, float]:
    """Largest relative errors of the paper's identities for inputs ``x`` ``(count, n)``.

    ``energy``: the energies of projection and residual add to that of x; ``decomposition``: ``W x`` equals ``W x_s``,
    and the sum of ``s_i (v_i^T x) u_i``, relative to ``s_0 |x|``.
    """
    W, x = matrix.double(), x.double()
    kept, left = project(spaces.row_space, x), residual(spaces.row_space, x)
    expansion = (x @ spaces.Vh.mT * spaces.S) @ spaces.U.mT
    scale = spaces.S[0] * x.norm(dim=1)
    errors = [(x @ W.mT - found).norm(dim=1) / scale for found in (kept @ W.mT, expansion)]
    return {
        "energy": ((energy(kept) + energy(left) - energy(x)).abs() / energy(x)).max().item(),
        "decomposition": torch.stack(errors).max().item(),
    }


def caption_assignments(winners: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    """How many digits a row of Figure 3's caption assigns to an algorithm, and which it names more than once."""
    named = [digit for digits in winners.values() for digit in digits]
    return {
        "assignments": len(named),
        "digits": len(set(named)),
        "repeated": sorted({digit for digit in named if named.count(digit) > 1}),
    }
