"""Truncated SVD by thick-restart Golub-Kahan-Lanczos, of one vector or a block at a time, on any device.

The vectors stay in the operator's dtype, their inner products are accumulated in float64, and every new vector is
orthogonalised against the whole basis of its side. Convergence is looked at after each product, with A or with A^T.
"""

from dataclasses import replace

import torch
from torch import Tensor

from paperlib.operators import LinearOperator
from paperlib.svd.bidiagonal import Bidiagonalisation, Ritz, basis_rows
from paperlib.svd.errors import NotConvergedError, check_rank
from paperlib.svd.inner import combine, norms, piece_memory
from paperlib.svd.lanczos_settings import Lanczos
from paperlib.svd.residuals import ZERO, reaches, with_residuals
from paperlib.svd.search import Report, Search
from paperlib.svd.triplets import SingularTriplets, with_signs

# A verification that misses the tolerance by rounding alone asks for a smaller residual, at most so often.
_VERIFICATIONS = 3

# A residual of so many times the rounding of one product is not the rounding of a deep operator either.
_FAR = 1000


def lanczos_svd(
    operator: LinearOperator,
    k: int,
    settings: Lanczos | None = None,
    *,
    tol: float = 1e-4,
    seed: int = 0,
    report: Report | None = None,
) -> SingularTriplets:
    """The k largest singular triplets of an operator, by thick-restart Golub-Kahan-Lanczos bidiagonalisation.

    The iteration starts with random vectors (``seed``) of the smaller side, and stops when the relative two-sided
    residual of each triplet is at most ``tol`` by its recurrence. One product on either side of a random combination
    of all triplets then confirms the residuals, or else 2 k products give them one by one; neither is counted. A
    singular value below 100 units of rounding of the largest counts as zero, and converged when its residual is below
    that too; an operator of a rank below k has such triplets. ``report(products, residuals)`` is called with the
    relative residuals ``(<= k,)`` whenever they are looked at.

    ``U`` and ``Vh`` are in the operator's dtype on the basis device, ``S`` is in float64. One seed gives the same
    start on every device, and on a CPU the same result.

    Raises ``RankError`` for a k out of range, ``ValueError`` for a basis that is too small, ``SvdError`` where a
    product is NaN or infinite, and ``NotConvergedError`` with the best triplets so far behind ``max_products``
    products, or where rounding in the operator's dtype keeps the residuals above ``tol``.

    In the book: thm-bidiagonalisation.
    """
    settings = settings or Lanczos()
    check_rank(k, operator.shape)
    tall = operator if operator.shape[0] >= operator.shape[1] else operator.T
    device = torch.device(settings.basis_device or operator.device)
    capacity = settings.capacity(k, tall.shape, tall.dtype)
    process = Bidiagonalisation(tall, capacity, settings.width, device, seed)
    search = Search(process, k, settings, tol, report)
    for _ in range(_VERIFICATIONS):
        ritz = search.run()
        found = _triplets(operator, process, ritz, k, settings.name, tol)
        if not search.done:
            raise NotConvergedError(_too_many(found, k, settings, tol), replace(found, converged=False))
        if found.converged or not search.tighten(ritz, found):
            break
        process.products += 2 * k
    if not found.converged:
        raise NotConvergedError(_missed(found, tol), found)
    return found


def lanczos_memory(shape: tuple[int, int], k: int, settings: Lanczos, dtype: torch.dtype) -> int:
    """Bytes that `lanczos_svd` holds at its largest: both bases, work vectors, and the result with its residuals.

    What an operator needs for its products comes on top, but for the vectors that they give; on a GPU also up to
    32 MiB of converted pieces.
    """
    small, large = sorted(shape)
    capacity = settings.capacity(k, shape, dtype)
    rows = [basis_rows(side, capacity, settings.width) for side in (small, large)]
    bases = (rows[0] * small + rows[1] * large) * dtype.itemsize + 8 * rows[0] * rows[1]
    device = torch.device(settings.basis_device or "cpu")
    iterating = settings.width * large * dtype.itemsize + piece_memory(large, rows[1] + settings.width, device)
    # The triplets before and after their signs are set; one residual in float64, with its product.
    verifying = 2 * k * (small + large) * dtype.itemsize + large * (3 * 8 + 2 * dtype.itemsize)
    return bases + max(iterating, verifying)


def _triplets(
    operator: LinearOperator, process: Bidiagonalisation, ritz: Ritz, k: int, name: str, tol: float
) -> SingularTriplets:
    S = ritz.S[:k]
    right, left = (
        _vectors(coefficients[:, :k].T, basis.vectors[: len(coefficients)])
        for coefficients, basis in ((ritz.right, process.right), (ritz.left, process.left))
    )
    upright = process.operator is operator
    U, Vh = (left.T, right) if upright else (right.T, left)
    if len(S) == k and S[-1] > ZERO * torch.finfo(operator.dtype).eps * S[0]:
        residuals = _confirmed(process, ritz, right, left)
        U, Vh = with_signs(U, Vh)
        place = operator.device, operator.dtype
        found = SingularTriplets(
            U, S, Vh, *(residuals if upright else residuals[::-1]), process.products, name, True, *place
        )
        if reaches(found, tol):
            return found
    # One by one, to know which of them misses the tolerance, and by how much.
    return with_residuals(operator, U, S, Vh, products=process.products, solver=name, tol=tol)


def _confirmed(process: Bidiagonalisation, ritz: Ritz, right: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
    """``|A v - s u|`` and ``|A^T u - s v|`` ``(k,)``: by the recurrence, and by one product of all on either side.

    The recurrence says which vector ``A w`` should be for a combination w of all right vectors with random signs, each
    divided by its singular value. What the product gives beyond it, by rounding or because A^T is not the adjoint of A,
    is charged to every triplet in full, although it is all of theirs together.
    """
    k, operator = len(right), process.operator
    S = ritz.S[:k]
    signs = torch.randint(0, 2, (k,), generator=torch.Generator().manual_seed(k)).double() * 2 - 1
    sides = (
        (operator.matmat, operator.domain_shape, right, left, not process.on_right),
        (operator.rmatmat, operator.range_shape, left, right, process.on_right),
    )
    residuals = []
    for product, shape, vectors, others, waits in sides:
        combined = _vectors((signs / S).unsqueeze(0), vectors).to(operator.device)
        beyond = product(combined.unflatten(1, shape)).flatten(1).to(others.device)
        beyond -= _vectors(signs.unsqueeze(0), others)
        if waits:
            beyond -= process.remainder(ritz, signs / S)
        expected = ritz.residuals[:k] if waits else torch.zeros_like(S)
        residuals.append(torch.hypot(expected, norms(beyond) * S))
    return tuple(residuals)


def _vectors(weights: Tensor, basis: Tensor) -> Tensor:
    out = basis.new_empty(len(weights), basis.shape[1])
    combine(weights, basis, out)
    return out


def _too_many(found: SingularTriplets, k: int, settings: Lanczos, tol: float) -> str:
    largest = float(found.relative_residuals.max()) if len(found.S) else float("inf")
    return (
        f"{settings.name} has not found {k} singular triplets to a relative residual of {tol:g} within "
        f"{settings.max_products} products ({len(found.S)} so far, the largest residual is {largest:.1e}); raise "
        "max_products, basis_size or tol, or ask for fewer"
    )


def _missed(found: SingularTriplets, tol: float) -> str:
    eps = torch.finfo(found.dtype).eps
    # Of those that are not zero, for which alone there is a relative residual.
    known = found.S >= ZERO * eps * found.S[0]
    largest = float(found.relative_residuals[known].max())
    rounding = float(eps * found.S[0] / found.S[known].min()) if found.S[0] > 0 else 0.0
    said = (
        f"{found.solver} has converged to {tol:g} by its recurrence, but by the operator's own products the largest "
        f"relative residual is {largest:.1e}"
    )
    if largest > _FAR * rounding:
        return f"{said}, far above rounding in {found.dtype}: is A^T the adjoint of A? dot_test tells"
    return (
        f"{said}; the cause is rounding in {found.dtype}, at best about {rounding:.0e} here: raise tol, ask for fewer "
        "triplets, or use float64"
    )
