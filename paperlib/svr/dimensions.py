"""Where the structure of an adjacency matrix ends: internal dimensions and intensities (`svr`, Section 3)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.svr.adjacency import Adjacency


@dataclass(frozen=True)
class InternalDimensions:
    """How many of the leading spectral neurons of two layers belong together.

    ``d_out`` counts those of the later layer, ``d_in`` those of the earlier one, both from 1 as the paper does;
    ``excess`` is how far their overlap is above that of random subspaces. Chance gives dimensions too, anywhere near
    the middle: only the excess tells structure from noise.
    """

    d_out: int
    d_in: int
    excess: float


def overlap_excess(found: Adjacency) -> Tensor:
    """``B_ij - ij / c`` ``(M_later, M_earlier)``: overlap of the leading i and j representations less that of chance.

    ``B_ij`` is the sum of the coefficients of the first i rows and j columns (eq. 1), for fully connected layers
    ``|p_F p_G|_F^2`` of the spans of the first j outputs and the first i inputs (eq. 2, Proposition 3.1).

    In the book: thm-overlap.
    """
    totals = found.coefficients.double().cumsum(0).cumsum(1)
    rows, columns = (_counts(size, totals) for size in totals.shape)
    # In place: a copy of the coefficients of two wide layers is large already.
    return totals.addr_(rows, columns, alpha=-1 / found.channels)


def internal_dimensions(found: Adjacency) -> InternalDimensions:
    """The numbers of rows and columns at which the overlap exceeds chance most (`svr`, Section 3.2).

    Raises ``ValueError`` where one of the layers has no spectral neuron, as one with zero weights only.
    """
    if not found.coefficients.numel():
        later, earlier = found.coefficients.shape
        raise ValueError(f"layers with {earlier} and {later} spectral neurons have no internal dimensions")
    excess = overlap_excess(found)
    row, column = divmod(int(excess.argmax()), excess.shape[1])
    return InternalDimensions(row + 1, column + 1, excess[row, column].item())


def intensities(found: Adjacency) -> Tensor:
    """Colour intensity in [0, 1] of each spectral neuron of the earlier layer, ``(M_earlier,)`` (`svr`, Section 3.3).

    The largest excess over the rows of its column alone, ``max_i(sum of the first i coefficients - i / c)``, cut off
    below 0, relative to the largest of the layer; all 0 where no column exceeds chance.
    """
    return relative(column_excess(found))


def column_excess(found: Adjacency) -> Tensor:
    """``max_i(sum of the first i coefficients - i / c)`` of each column, at least 0; ``(M_earlier,)`` float64."""
    totals = found.coefficients.double().cumsum(0)
    rows = _counts(len(totals), totals).unsqueeze(1)
    # A row of zeros ahead: no row at all exceeds chance by 0.
    return torch.cat([totals.new_zeros(1, totals.shape[1]), totals - rows / found.channels]).amax(0)


def relative(values: Tensor) -> Tensor:
    """Non-negative values over the largest; zeros stay where all are."""
    return values / values.max() if values.any() else values


def entropy(found: Adjacency) -> float:
    """``-sum a ln a`` over the coefficients, an entry of 0 counting as 0: how evenly the overlap is spread."""
    return torch.special.entr(found.coefficients.double()).sum().item()


def _counts(size: int, like: Tensor) -> Tensor:
    return torch.arange(1, size + 1, dtype=torch.float64, device=like.device)
