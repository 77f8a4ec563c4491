"""The dot-product test: the one property that defines an adjoint."""

import torch
from torch import Tensor

from paperlib.operators.base import LinearOperator


def dot_test(operator: LinearOperator, *, trials: int = 4, seed: int = 0) -> float:
    """Largest mismatch of ``<A v, z> = <v, A^T z>`` over random pairs, relative to the norms.

    The vectors are drawn in the operator's own dtype, so that its rounding shows; the inner products are summed in
    float64, so that only its rounding shows. Expect some units of the dtype's precision: below 1e-5 for float32,
    below 1e-12 for float64.

    In the book: thm-adjoint-network.
    """
    generator = torch.Generator().manual_seed(seed)
    v = _draw(trials, operator.domain_shape, operator, generator)
    z = _draw(trials, operator.range_shape, operator, generator)
    forward, adjoint = operator.matmat(v), operator.rmatmat(z)
    left, right = _dot(forward, z), _dot(v, adjoint)
    scale = torch.maximum(_norm(forward) * _norm(z), _norm(v) * _norm(adjoint))
    # Where both sides vanish (every gate closed) the mismatch is 0, not 0/0.
    return ((left - right).abs() / scale.clamp_min(torch.finfo(torch.float64).tiny)).max().item()


def _draw(count: int, shape: tuple[int, ...], operator: LinearOperator, generator: torch.Generator) -> Tensor:
    return torch.randn(count, *shape, generator=generator, dtype=operator.dtype).to(operator.device)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a.flatten(1).double() * b.flatten(1).double()).sum(1)


def _norm(a: Tensor) -> Tensor:
    return a.flatten(1).double().norm(dim=1)
