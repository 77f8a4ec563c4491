"""The exact path for matrices with one small side, batched over images.

A classifier's ``A[x]`` is 10 x 784: ten adjoint products give all of it. Its SVD is then a QR decomposition of the
tall transpose and an SVD of the 10 x 10 factor, in float64. No Gram matrix is formed: the square of the singular
values would lose half the digits.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.operators import FrozenNetwork, LinearOperator
from paperlib.svd.errors import SvdError, check_rank
from paperlib.svd.triplets import SingularTriplets, with_signs

# Above this the small side is no longer small: the block of products and the dense matrix outgrow an iterative method.
LARGEST_SIDE = 4096

# Vectors of one block of products, measured in benchmarks/: larger blocks lose time to fresh memory, smaller ones to
# the overhead of each call.
VECTORS_AT_ONCE = 100


@dataclass(frozen=True)
class Exact:
    """The matrix from its smaller side, and a dense decomposition of it; nothing to set."""

    @property
    def name(self) -> str:
        return "exact"


def batched_svd(frozen: FrozenNetwork, k: int | None = None) -> SingularTriplets:
    """The k largest singular triplets (all where k is None) of ``A[x]`` for every image of a frozen batch.

    ``min(m, n)`` products for each image and no iteration. Fields have the batch as leading axis.
    Raises ``RankError`` for a k out of range and ``SvdError`` where both sides exceed 4,096.
    """
    matrices = dense_matrices(frozen)
    return dense_svd(matrices, k)


def exact_svd(operator: LinearOperator, k: int) -> SingularTriplets:
    """The k largest singular triplets of one operator, by forming it from its small side. Raises as `batched_svd`."""
    check_rank(k, operator.shape)
    _check_side(operator.shape)
    return dense_svd(operator.dense(), k)


def dense_matrices(frozen: FrozenNetwork) -> Tensor:
    """``A[x]`` ``(batch, m, n)`` for every image, in the network's dtype, by products with the unit vectors.

    A block of images at a time, so that the intermediate vectors stay near the processor's cache and the memory for
    them does not grow with the batch.
    """
    _check_side(frozen.shape)
    block = max(1, VECTORS_AT_ONCE // min(frozen.shape))
    parts = (frozen.part(slice(start, start + block)) for start in range(0, len(frozen), block))
    return torch.cat([_dense_block(part) for part in parts])


def _dense_block(frozen: FrozenNetwork) -> Tensor:
    rows, columns = frozen.shape
    if rows <= columns:
        return frozen.adjoint(_unit_vectors(frozen, frozen.range_shape)).flatten(2)
    return frozen.product(_unit_vectors(frozen, frozen.domain_shape)).flatten(2).transpose(1, 2)


def dense_svd(matrices: Tensor, k: int | None = None) -> SingularTriplets:
    """The k largest singular triplets of dense matrices ``(..., m, n)`` by QR of the tall side, in float64.

    The residuals are those against the matrix as given. ``products`` is the number of products that form it.
    """
    shape = tuple(matrices.shape[-2:])
    k = min(shape) if k is None else k
    check_rank(k, shape)
    matrix = matrices.double()
    wide = shape[0] <= shape[1]
    Q, R = torch.linalg.qr(matrix.mT if wide else matrix)
    inner, S, outer_h = torch.linalg.svd(R.mT if wide else R)
    U, Vh = (inner, outer_h @ Q.mT) if wide else (Q @ inner, outer_h)
    U, Vh = with_signs(U[..., :k], Vh[..., :k, :])
    S = S[..., :k]
    right = torch.linalg.vector_norm(matrix @ Vh.mT - U * S.unsqueeze(-2), dim=-2)
    left = torch.linalg.vector_norm(matrix.mT @ U - Vh.mT * S.unsqueeze(-2), dim=-2)
    return SingularTriplets(U, S, Vh, right, left, min(shape), "exact", True, matrices.device, matrices.dtype)


def _check_side(shape: tuple[int, int]) -> None:
    if min(shape) > LARGEST_SIDE:
        raise SvdError(
            f"the exact path forms the matrix from its smaller side, and {shape[0]} x {shape[1]} has none of at most "
            f"{LARGEST_SIDE}; use an iterative solver such as 'lanczos'"
        )


def _unit_vectors(frozen: FrozenNetwork, shape: tuple[int, ...]) -> Tensor:
    identity = torch.eye(torch.Size(shape).numel(), dtype=frozen.dtype, device=frozen.device).unflatten(1, shape)
    return identity.expand(len(frozen), *identity.shape)
