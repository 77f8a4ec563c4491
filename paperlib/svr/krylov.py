"""The leading eigenvectors of a symmetric matrix by block Lanczos, with a proof that none was missed."""

import torch
from torch import Tensor

# Columns that are multiplied at once: fewer, and reading the matrix takes longer than the products.
_BLOCK = 16

# Of a residual relative to its eigenvalue.
_TOLERANCE = 1e-10

# Below this side, or above this share of it, a full eigendecomposition is faster, measured with random matrices, whose
# spectrum is the hardest: its edge is dense.
_SMALLEST_SIDE = 2500
_LARGEST_SHARE = 1 / 24


def leading_eigenvectors(matrix: Tensor, count: int, seed: int = 0) -> tuple[Tensor, Tensor] | None:
    """The ``count`` largest eigenvalues, decreasing, and eigenvectors ``(n, count)`` of a positive semidefinite matrix.

    Block Lanczos with full reorthogonalisation from a random start, without restarts: residuals are at most 1e-10 of
    their eigenvalues, and a Cholesky factorisation shows that no larger eigenvalue is left, which residuals alone
    cannot. None where a full decomposition is the better way: a small matrix, many eigenvectors, no convergence in a
    subspace of half the matrix, or one that was missed.
    """
    if len(matrix) < _SMALLEST_SIDE or count > _LARGEST_SHARE * len(matrix):
        return None
    found = _lanczos(matrix, count, torch.Generator(matrix.device).manual_seed(seed))
    return found if found is not None and _complete(matrix, *found) else None


def _lanczos(matrix: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor] | None:
    side = len(matrix)
    most = side // 2 // _BLOCK * _BLOCK
    basis = matrix.new_empty(side, most)
    projected = matrix.new_zeros(most, most)
    block = torch.linalg.qr(torch.randn(side, _BLOCK, dtype=matrix.dtype, device=matrix.device, generator=generator)).Q
    check = 3 * count
    for start in range(0, most, _BLOCK):
        size = start + _BLOCK
        basis[:, start:size] = block
        products = matrix @ block
        # With all earlier ones the products are zero but for rounding.
        last = slice(max(0, start - _BLOCK), size)
        projected[last, start:size] = basis[:, last].mT @ products
        products -= basis[:, last] @ projected[last, start:size]
        known = basis[:, :size]
        block, coupling = _orthonormal(products, known)
        if size >= check:
            values, vectors = torch.linalg.eigh(projected[:size, :size], UPLO="U")
            values, vectors = values[-count:], vectors[:, -count:]
            if _converged(values, coupling @ vectors[-_BLOCK:]):
                return values.flip(0), known @ vectors.flip(1)
            # A check costs an eigenproblem of the size of the basis.
            check = 1.2 * size
    return None


def _orthonormal(products: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
    """A basis of what is new in products, which are orthogonal to the basis but for rounding, and their coordinates."""
    scale = torch.linalg.vector_norm(products, dim=0).max()
    products -= basis @ (basis.mT @ products)
    block, coupling = torch.linalg.qr(products)
    if coupling.diagonal().abs().min() < 1e-4 * scale:
        # Directions that are nearly used up are rounding for the most part, and not orthogonal to the basis.
        block = torch.linalg.qr(block - basis @ (basis.mT @ block)).Q
    return block, coupling


def _converged(values: Tensor, residuals: Tensor) -> bool:
    # Products of the matrix are exact to its largest eigenvalue only.
    slack = 10 * torch.finfo(values.dtype).eps * values[-1]
    return bool((torch.linalg.vector_norm(residuals, dim=0) <= _TOLERANCE * values + slack).all())


def _complete(matrix: Tensor, values: Tensor, vectors: Tensor) -> bool:
    """Whether what the eigenvectors leave has no eigenvalue above the last one: then that less it has a Cholesky."""
    rest = (vectors * values) @ vectors.mT - matrix
    rest.diagonal().add_(values[-1] * (1 + 1e-8) + 1e-13 * values[0])
    return int(torch.linalg.cholesky_ex(rest).info) == 0
