"""Singular value decompositions of weight matrices: by the Gram matrix of the smaller side, in stages of resolution.

The Gram matrix squares the singular values and with them the rounding errors, so that it tells nothing about values
below ``sqrt(eps)`` of the largest. It is used for those above ``RESOLVED`` only; what is left of the matrix beside them
is decomposed by itself, relative to its own largest value. That costs matrix products and symmetric eigenproblems in
place of the bidiagonal reduction of a full decomposition, and keeps its accuracy: errors of about ``eps / RESOLVED``
relative to the largest value.
"""

import torch
from torch import Tensor

from paperlib.svr.krylov import leading_eigenvectors

# Relative to the largest singular value; the inner products of right singular vectors err by eps / RESOLVED^2 = 2e-10.
RESOLVED = 1e-3

# Tolerances from which on all that is kept is far above the errors: weights in single precision have such ones.
_COARSE = 1e-7

# Sides up to which a full decomposition takes no longer, measured.
_SMALL = 32

# Columns of the Gram matrix formed at once: its parts above the diagonal are those below.
_BLOCK = 256


def decompose(matrix: Tensor, tolerance: float, count: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """``U`` ``(m, r)``, ``S`` ``(r,)`` decreasing and ``Vh`` ``(r, n)`` of a float64 ``matrix`` ``(m, n)``.

    The ``r`` singular values above ``tolerance`` relative to the largest are kept, at most ``count`` of them; in each
    row of Vh the entry of largest magnitude is positive. By the Gram matrix where the tolerance is at least 1e-7, as it
    is for weights in single precision, and by `torch.linalg.svd` elsewhere. Memory: the matrix, V, and a few squares of
    the smaller side.
    """
    if tolerance >= _COARSE and min(matrix.shape) > _SMALL:
        tall = matrix.shape[0] > matrix.shape[1]
        U, S, Vh = _by_gram(matrix.mT if tall else matrix, tolerance, count)
        if tall:
            U, Vh = Vh.mT, U.mT
    else:
        U, S, Vh = torch.linalg.svd(matrix, full_matrices=False)
        kept = int((S > tolerance * S[0]).sum())
        kept = kept if count is None else min(count, kept)
        U, S, Vh = U[:, :kept], S[:kept], Vh[:kept]
    return _oriented(U, S, Vh)


def _by_gram(
    matrix: Tensor, tolerance: float, count: int | None, floor: float | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Triplets of a wide matrix above ``floor``, or where there is none yet above ``tolerance`` times the largest."""
    values, U = _eigenvectors(_gram(matrix), count)
    largest = values[0].clamp_min(0).sqrt().item()
    floor = tolerance * largest if floor is None else floor
    if largest <= floor:
        return U[:, :0], values[:0], matrix[:0]
    resolved = int((values > (RESOLVED * largest) ** 2).sum())
    kept = resolved if count is None else min(count, resolved)
    Vh = U[:, :kept].mT @ matrix
    S = torch.linalg.vector_norm(Vh, dim=1)
    Vh /= S.unsqueeze(1)
    if resolved < U.shape[1] and resolved == kept != count and floor < RESOLVED * largest:
        left = None if count is None else count - kept
        U, S, Vh = _with_rest(matrix, (U, S, Vh), tolerance, left, floor)
    # Norms are more accurate than the eigenvalues that gave the order.
    order = S.argsort(descending=True, stable=True)
    order = order[S[order] > floor]
    return U[:, order], S[order], Vh if len(order) == len(Vh) and _ascending(order) else Vh[order]


def _with_rest(
    matrix: Tensor, found: tuple[Tensor, Tensor, Tensor], tolerance: float, count: int | None, floor: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Triplets with those of what the resolved ones leave of the matrix."""
    U, S, Vh = found
    others = U[:, len(S) :]
    rest = others.mT @ matrix
    # The others are orthogonal to U up to rounding, not their rows to V: that part is rounding of larger values.
    rest -= (rest @ Vh.mT) @ Vh
    U2, S2, Vh2 = _by_gram(rest, tolerance, count, floor)
    return torch.cat([U[:, : len(S)], others @ U2], 1), torch.cat([S, S2]), torch.cat([Vh, Vh2])


def _eigenvectors(gram: Tensor, count: int | None) -> tuple[Tensor, Tensor]:
    """Eigenvalues, decreasing, and eigenvectors of a Gram matrix: all, or the leading ones alone where that pays."""
    if count is not None:
        leading = leading_eigenvectors(gram, count)
        # An unresolved one needs all that are left.
        if leading is not None and leading[0][-1] > RESOLVED**2 * leading[0][0]:
            return leading
    values, U = torch.linalg.eigh(gram)
    return values.flip(0), U.flip(1)


def _gram(matrix: Tensor) -> Tensor:
    """``matrix @ matrix.T``, the part below the diagonal by products and the rest from it."""
    gram = matrix.new_empty(len(matrix), len(matrix))
    for start in range(0, len(matrix), _BLOCK):
        stop = start + _BLOCK
        gram[start:, start:stop] = matrix[start:] @ matrix[start:stop].mT
        gram[start:stop, stop:] = gram[stop:, start:stop].mT
    return gram


def _ascending(order: Tensor) -> bool:
    return bool((order.diff() == 1).all())


def _oriented(U: Tensor, S: Tensor, Vh: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same with the entry of largest magnitude of each row of Vh positive."""
    # As `with_signs` does, but without a copy of V, which may be the largest tensor of all.
    if not len(S):
        return U, S, Vh
    least, most = Vh.aminmax(dim=1)
    signs = torch.where(-least > most, -1.0, 1.0).to(S.dtype)
    return U.mul_(signs), S, Vh.mul_(signs.unsqueeze(1))
