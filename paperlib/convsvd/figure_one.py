"""The two matrizations of one small convolution, as Figures 1 and 2 of `convsvd` show them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.unfolding import convolution_matrices, receptive_fields, tensor_svd


@dataclass(frozen=True)
class SmallConvolution:
    """A convolution without padding and bias, of whole numbers in float64, with its matrices.

    ``W`` ``(d, c, k, k)``, ``X`` ``(c, m, m)``, ``Y`` ``(d, n, n)`` with ``n = m - k + 1``; ``W1`` ``(d, c k^2)`` acts
    on the receptive fields ``psi`` ``(c k^2, n^2)``, ``W2`` ``(d n^2, c m^2)`` on the flattened image.
    """

    W: Tensor
    X: Tensor
    Y: Tensor
    W1: Tensor
    psi: Tensor
    W2: Tensor


def small_convolution(d: int, c: int, k: int, m: int, seed: int = 0) -> SmallConvolution:
    """Draw weights and an image of whole numbers from -3 to 3 and unfold them (`convsvd`, Section 3, eq. 1 to 11).

    Raises ``ValueError`` where a size is below 1 or the kernel is larger than the image.
    """
    if min(d, c, k) < 1 or k > m:
        raise ValueError(f"d is {d}, c {c}, k {k}, m {m}; expected at least 1 of each, and k at most m")
    generator = torch.Generator().manual_seed(seed)
    W, X = (torch.randint(-3, 4, shape, generator=generator).double() for shape in ((d, c, k, k), (c, m, m)))
    layer = nn.Conv2d(c, d, k, bias=False, dtype=torch.float64).requires_grad_(False)
    layer.weight.copy_(W)
    matrices = convolution_matrices(layer)
    psi = receptive_fields(layer, X.unsqueeze(0))[0].mT
    return SmallConvolution(W, X, layer(X.unsqueeze(0))[0], matrices.W1, psi, matrices.operator_matrix((m, m), "valid"))


def commutation(small: SmallConvolution) -> dict[str, float]:
    """Largest difference between the flattened output and each product of matrices: 0 for whole numbers (eq. 8, 11)."""
    d = len(small.Y)
    by_fields = small.W1 @ small.psi - small.Y.reshape(d, -1)
    by_image = small.W2 @ small.X.flatten() - small.Y.flatten()
    return {"W1": float(by_fields.abs().max()), "W2": float(by_image.abs().max())}


def block_difference(small: SmallConvolution) -> tuple[float, float]:
    """How ``W2 W2^T``, ordered by position, compares with copies of ``W1 W1^T``, in largest entries.

    The first is the largest difference on the block diagonal, the second the largest entry outside it, relative to
    that of ``W1 W1^T``.
    """
    positions = small.psi.shape[1]
    rows = small.W2.unflatten(0, (len(small.W1), positions)).transpose(0, 1)
    gram = torch.einsum("pia,qja->pqij", rows, rows)
    block = small.W1 @ small.W1.T
    same = torch.eye(positions, dtype=torch.bool)
    outside = gram[~same].abs().max() / block.abs().max() if positions > 1 else torch.zeros(())
    return float((gram[same] - block).abs().max()), float(outside)


def identities(small: SmallConvolution) -> dict[str, float]:
    """What connects the two matrices and the tensor SVD of eq. 14, as differences and ratios.

    ``frobenius``: ``|W2|_F^2`` less ``n^2 |W1|_F^2``, relative. ``norm_ratio``: the largest singular value of W2 over
    ``k`` times that of W1, at most 1. ``tensor_svd``: the largest difference between the layer and its three
    convolutions, relative to the largest output.
    """
    d, c, k, _ = small.W.shape
    total = small.psi.shape[1] * small.W1.square().sum()
    layer = nn.Conv2d(c, d, k, bias=False, dtype=torch.float64).requires_grad_(False)
    layer.weight.copy_(small.W)
    missed = tensor_svd(layer)(small.X.unsqueeze(0))[0] - small.Y
    norms = [torch.linalg.matrix_norm(matrix, 2) for matrix in (small.W1, small.W2)]
    return {
        "frobenius": float(small.W2.square().sum() / total - 1),
        "norm_ratio": float(norms[1] / (k * norms[0])),
        "tensor_svd": float(missed.abs().max() / small.Y.abs().max()),
    }


def places_in_filter(d: int, c: int, k: int, m: int) -> tuple[Tensor, Tensor]:
    """For each entry of W1 and of W2 the flat place in the filter of the weight that stands there, -1 for zero.

    int64 ``(d, c k^2)`` and ``(d n^2, c m^2)``; raises as `small_convolution`.
    """
    if min(d, c, k) < 1 or k > m:
        raise ValueError(f"d is {d}, c {c}, k {k}, m {m}; expected at least 1 of each, and k at most m")
    # Weights that are their own place, from 1 on, so that what stays 0 is no weight.
    numbers = torch.arange(1.0, c * k**2 + 1).reshape(1, c, k, k).expand(d, -1, -1, -1)
    matrices = convolution_matrices(numbers)
    W2 = matrices.operator_matrix((m, m), "valid")
    return matrices.W1.long() - 1, W2.long() - 1
