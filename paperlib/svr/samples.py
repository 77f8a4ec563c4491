"""Internal dimensions of many adjacency matrices: their spread, and what chance alone gives (`svr`, Section 3.2)."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.svr.adjacency import Adjacency
from paperlib.svr.dimensions import internal_dimensions


@dataclass(frozen=True)
class DimensionSample:
    """Internal dimensions of several adjacency matrices: ``d_out``, ``d_in`` and ``excess``, each ``(count,)`` float64.

    They are those of `internal_dimensions`: numbers of leading spectral neurons, counted from 1, of the later and of
    the earlier layer, and how far their overlap is above that of random subspaces.
    """

    d_out: Tensor
    d_in: Tensor
    excess: Tensor

    def __len__(self) -> int:
        return len(self.excess)

    def at_most(self) -> Tensor:
        """Which of the matrices have ``d_out <= d_in``, bool ``(count,)``."""
        return self.d_out <= self.d_in


def sample_dimensions(found: Iterable[Adjacency]) -> DimensionSample:
    """The internal dimensions of each adjacency matrix; raises ``ValueError`` where there is none."""
    rows = [(one.d_out, one.d_in, one.excess) for one in map(internal_dimensions, found)]
    if not rows:
        raise ValueError("no adjacency matrix is given; expected one or more")
    return DimensionSample(*torch.tensor(rows, dtype=torch.float64).T)


def haar_frames(count: int, dimension: int, size: int, generator: torch.Generator) -> Tensor:
    """Matrices ``(count, dimension, size)`` with orthonormal columns, uniformly distributed (Haar), float64.

    Raises ``ValueError`` where ``size`` columns do not fit into the dimension.
    """
    if not 1 <= size <= dimension:
        raise ValueError(f"{size} orthonormal columns in dimension {dimension}; expected 1 to {dimension}")
    draws = torch.randn(count, dimension, size, dtype=torch.float64, generator=generator)
    Q, R = torch.linalg.qr(draws)
    # Without the signs the law would depend on the algorithm's convention for the diagonal of R.
    return Q * R.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)


def chance_dimensions(later: int, earlier: int, channels: int, draws: int, seed: int) -> DimensionSample:
    """Internal dimensions of ``draws`` fully connected pairs whose representations have nothing to do with each other.

    ``later`` and ``earlier`` spectral neurons share ``channels``; their representations are independent and uniform
    among orthonormal ones (`svr`, Section 3.2). By invariance one side may be fixed: its representations are the
    first axes. Raises ``ValueError`` for more neurons than channels.
    """
    if not 1 <= earlier <= channels:
        raise ValueError(f"{earlier} spectral neurons of the earlier layer in {channels} channels do not fit")
    generator = torch.Generator().manual_seed(seed)
    V = haar_frames(draws, channels, later, generator)
    coefficients = V[:, :earlier].mT.square()
    return sample_dimensions(Adjacency(one, channels, 1) for one in coefficients)
