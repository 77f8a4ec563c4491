"""Solvers side by side on the same images: agreement, residuals, products and time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import torch
from torch import Tensor, nn

from paperlib.operators import Compiled, FrozenNetwork, LinearOperator
from paperlib.svd.exact import batched_svd
from paperlib.svd.residuals import residuals
from paperlib.svd.slepc import Slepc, slepc_svd
from paperlib.svd.triplets import SingularTriplets


@dataclass(frozen=True)
class SolverRecord:
    """One solver over all images, compared with a dense SVD of the Jacobian by automatic differentiation.

    ``median_milliseconds`` per image; ``products`` the largest number for an image; ``largest_residual`` relative and
    two-sided, by the operator's own products; ``value_difference`` the largest relative difference of a singular
    value; ``subspace_angle`` the largest angle (radians) between the spans of the right singular vectors;
    ``vector_angle`` that between single vectors.
    """

    solver: str
    median_milliseconds: float
    products: int
    largest_residual: float
    value_difference: float
    subspace_angle: float
    vector_angle: float


def compare_solvers(
    model: nn.Module,
    images: Tensor,
    k: int,
    *,
    solvers: Sequence[str] = ("exact", "slepc cross"),
    tol: float = 1e-5,
) -> list[SolverRecord]:
    """Decompose ``A[x]`` at every image ``(count, *domain_shape)`` by each solver, ``"exact"`` or ``"slepc KIND"``."""
    frozen = Compiled(model).freeze(images)
    reference = [_jacobian_svd(model, image, k) for image in images]
    return [_record(solver, frozen, reference, k, tol) for solver in solvers]


def subspace_angle(first: Tensor, second: Tensor) -> float:
    """Largest principal angle in radians between the row spaces of two ``(k, n)`` matrices with orthonormal rows.

    By the sine of the part that the other space misses: the arc cosine would lose half the digits at small angles.
    """
    missed = second - (second @ first.mT) @ first
    return torch.linalg.matrix_norm(missed, 2).clamp_max(1.0).asin().item()


def _jacobian_svd(model: nn.Module, image: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """``S`` ``(k,)`` and ``Vh`` ``(k, n)`` of the Jacobian at an image: no adjoint and no solver of this library."""
    jacobian = torch.func.jacrev(lambda x: model(x.unsqueeze(0)).flatten())(image).flatten(1)
    _, S, Vh = torch.linalg.svd(jacobian.double(), full_matrices=False)
    return S[:k], Vh[:k]


def _record(
    solver: str, frozen: FrozenNetwork, reference: list[tuple[Tensor, Tensor]], k: int, tol: float
) -> SolverRecord:
    if solver == "exact":
        seconds, triplets = _timed(lambda: batched_svd(frozen, k))
        times = [seconds / len(frozen)] * len(frozen)
        found = [_one(triplets, index) for index in range(len(frozen))]
    else:
        settings = Slepc(kind=solver.removeprefix("slepc "))
        runs = [
            _timed(lambda index=index: slepc_svd(frozen[index], k, settings, tol=tol)) for index in range(len(frozen))
        ]
        times, found = [seconds for seconds, _ in runs], [triplets for _, triplets in runs]
    pairs = [(triplets, S, Vh) for triplets, (S, Vh) in zip(found, reference, strict=True)]
    return SolverRecord(
        solver=solver,
        median_milliseconds=1000 * median(times),
        products=max(triplets.products for triplets in found),
        largest_residual=max(_operator_residual(frozen[i], triplets) for i, triplets in enumerate(found)),
        value_difference=max(float((a.S / S - 1).abs().max()) for a, S, _ in pairs),
        subspace_angle=max(subspace_angle(a.Vh, Vh) for a, _, Vh in pairs),
        vector_angle=max(subspace_angle(a.Vh[i : i + 1], Vh[i : i + 1]) for a, _, Vh in pairs for i in range(k)),
    )


def _operator_residual(operator: LinearOperator, triplets: SingularTriplets) -> float:
    right, left = residuals(operator, triplets.U, triplets.S, triplets.Vh)
    return float(replace(triplets, right_residuals=right, left_residuals=left).relative_residuals.max())


def _timed(work: Callable[[], SingularTriplets]) -> tuple[float, SingularTriplets]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _one(triplets: SingularTriplets, index: int) -> SingularTriplets:
    names = ("U", "S", "Vh", "right_residuals", "left_residuals")
    parts = {name: getattr(triplets, name)[index] for name in names}
    return replace(triplets, **parts)
