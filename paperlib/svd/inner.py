"""Inner products of long vectors, accumulated in float64 without a float64 copy of the vectors.

Vectors are the rows of a matrix, so that each is contiguous. The long axis is cut into pieces that stay near the
processor, each is converted to float64 by itself, and what goes back is rounded once to the vectors' dtype.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

# Entries of one converted piece: near the cache of a processor, and enough work for each call on a GPU.
_PIECE = {"cpu": 2**18, "cuda": 2**22}


def project_out(basis: Tensor, block: Tensor) -> tuple[Tensor, Tensor]:
    """Subtract from each row of ``block`` ``(b, n)``, in place, its projection on the rows of ``basis`` ``(j, n)``.

    Returns the inner products ``(j, b)`` and the norms ``(b,)`` of what is left, in float64 on the CPU. The basis is
    taken for orthonormal. One pass (classical Gram-Schmidt): what is left is orthogonal to the basis to rounding
    relative to the norm that a row had before.
    """
    products = inner_products(basis, block)
    # In the vectors' dtype: a float64 sum would be rounded to it anyway.
    block.addmm_(products.T.to(block.dtype), basis, alpha=-1)
    return products.cpu(), norms(block)


def inner_products(basis: Tensor, block: Tensor) -> Tensor:
    """``basis @ block.T`` ``(j, b)`` in float64 on the vectors' device."""
    products = torch.zeros(len(basis), len(block), dtype=torch.float64, device=block.device)
    for piece in pieces(basis.shape[1], len(basis) + len(block), block.device):
        products.addmm_(basis[:, piece].double(), block[:, piece].double().T)
    return products


def norms(block: Tensor) -> Tensor:
    """Norms ``(b,)`` of the rows of ``block`` ``(b, n)``, in float64 on the CPU."""
    squares = torch.zeros(len(block), dtype=torch.float64, device=block.device)
    # Each entry twice: converted, and its square.
    for piece in pieces(block.shape[1], 2 * len(block), block.device):
        squares += block[:, piece].double().square().sum(1)
    return squares.sqrt().cpu()


def combine(weights: Tensor, basis: Tensor, out: Tensor) -> None:
    """``out = weights @ basis`` for ``weights`` ``(l, j)`` and rows ``basis`` ``(j, n)``.

    ``out`` ``(l, n)`` may be rows of the basis itself.
    """
    weights = weights.to(dtype=torch.float64, device=basis.device)
    for piece in pieces(basis.shape[1], len(basis) + len(out), basis.device):
        out[:, piece] = weights @ basis[:, piece].double()


def pieces(size: int, rows: int, device: torch.device) -> Iterator[slice]:
    """Slices of the long axis for ``rows`` vectors at once."""
    step = max(1, _PIECE.get(device.type, _PIECE["cuda"]) // max(1, rows))
    return (slice(start, start + step) for start in range(0, size, step))


def piece_memory(size: int, rows: int, device: torch.device) -> int:
    """Bytes, at most, of the converted pieces of ``rows`` vectors of ``size`` entries that are there at a time."""
    return 8 * min(_PIECE.get(device.type, _PIECE["cuda"]), rows * size)
