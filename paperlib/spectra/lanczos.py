"""The density of all singular values of an operator that is too large to decompose: stochastic Lanczos quadrature.

The share of singular values below ``s`` is the mean over random unit vectors ``v`` of ``v^T P v``, P the projection on
the eigenvectors of the Gram matrix with eigenvalues below ``s^2``. Some steps of the Lanczos recurrence from v give
Gauss's quadrature of that measure: nodes and weights between whose partial sums the share lies (Golub and Meurant
2010; Lin, Saad and Yang 2016). No vectors are kept and none orthogonalised again: nodes that are found twice then share
their weight.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.operators import LinearOperator


@dataclass(frozen=True)
class SpectrumEstimate:
    """An estimate of the distribution of the ``count`` singular values of an operator.

    ``nodes`` ``(probes, steps)`` are singular values, increasing, and ``weights`` of the same shape their shares, which
    add up to 1 for each probe.
    """

    nodes: Tensor
    weights: Tensor
    count: int

    def cumulative(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Share of the singular values up to each of ``values`` ``(n,)``, and its standard error over the probes.

        Linear between 0 and the nodes, at each of which half its weight counts. The error is that of the random probes;
        the few steps add a smoothing over the distance of neighbouring nodes.
        """
        middle = self.weights.cumsum(1) - self.weights / 2
        shares = torch.stack([_interpolated(values, *pair) for pair in zip(self.nodes, middle, strict=True)])
        return shares.mean(0), shares.std(0) / len(shares) ** 0.5

    def density(self, edges: Tensor) -> tuple[Tensor, Tensor]:
        """Mean density between ``edges`` ``(n + 1,)``, per unit of the singular value, and its standard error."""
        middle = self.weights.cumsum(1) - self.weights / 2
        shares = torch.stack([_interpolated(edges, *pair) for pair in zip(self.nodes, middle, strict=True)])
        densities = shares.diff(dim=1) / edges.diff()
        return densities.mean(0), densities.std(0) / len(shares) ** 0.5


def spectrum_estimate(
    operator: LinearOperator, *, steps: int = 100, probes: int = 8, seed: int = 0
) -> SpectrumEstimate:
    """Estimate the distribution of all ``min(rows, columns)`` singular values of an operator.

    Each of ``probes`` random vectors of entries 1 and -1, drawn with ``seed``, takes ``steps`` products with the
    operator and its adjoint, in blocks and in the operator's dtype. Memory: some vectors for each probe.

    Raises ``ValueError`` for fewer than 2 steps or 2 probes.
    """
    if steps < 2 or probes < 2:
        raise ValueError(f"steps is {steps} and probes {probes}; expected at least 2 of each")
    rows, columns = operator.shape
    wide = operator if rows <= columns else operator.T
    steps = min(steps, min(rows, columns))
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, (probes, *wide.range_shape), generator=generator) * 2 - 1
    start = signs.to(dtype=operator.dtype, device=operator.device) / min(rows, columns) ** 0.5
    diagonal, beside = _lanczos(wide, start, steps)
    tridiagonal = torch.diag_embed(diagonal) + torch.diag_embed(beside, 1) + torch.diag_embed(beside, -1)
    eigenvalues, vectors = torch.linalg.eigh(tridiagonal)
    return SpectrumEstimate(eigenvalues.clamp_min(0).sqrt(), vectors[:, 0].square(), min(rows, columns))


def _lanczos(operator: LinearOperator, start: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Diagonals ``(probes, steps)`` and ``(probes, steps - 1)`` of the tridiagonal matrices, float64 on the CPU."""
    before, vector, norms = torch.zeros_like(start), start, start.new_zeros(len(start))
    shape = (-1, *[1] * (start.dim() - 1))
    diagonal, beside = [], []
    for step in range(steps):
        image = operator.rmatmat(vector)
        # The Gram matrix is formed by halves, so that its quadratic form is a sum of squares.
        diagonal.append(image.flatten(1).square().sum(1))
        following = operator.matmat(image) - diagonal[-1].reshape(shape) * vector - norms.reshape(shape) * before
        norms = torch.linalg.vector_norm(following.flatten(1), dim=1)
        if step < steps - 1:
            beside.append(norms)
        # An invariant subspace has been found where the norm is zero: what follows has no weight.
        before, vector = vector, following / norms.clamp_min(torch.finfo(start.dtype).tiny).reshape(shape)
    return torch.stack(diagonal, 1).double().cpu(), torch.stack(beside, 1).double().cpu()


def _interpolated(values: Tensor, nodes: Tensor, shares: Tensor) -> Tensor:
    """Piecewise linear through 0 at 0 and the nodes, 1 above the last of them."""
    nodes, shares = torch.cat([nodes.new_zeros(1), nodes]), torch.cat([shares.new_zeros(1), shares])
    above = torch.searchsorted(nodes, values, right=True)
    low, high = (above - 1).clamp_min(0), above.clamp_max(len(nodes) - 1)
    width = (nodes[high] - nodes[low]).clamp_min(torch.finfo(nodes.dtype).tiny)
    part = ((values - nodes[low]) / width).clamp(0, 1)
    inside = shares[low] + part * (shares[high] - shares[low])
    return torch.where(above == len(nodes), 1.0, inside)
