"""What the singular triplets of a whole U-Net cost: every solver on the same volume, each in a process of its own.

>>> from paperlib.costs.solvers import Problem
>>> Problem(side=16).shape
(8192, 16384)
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

import torch
from torch import Tensor

from paperlib.costs.apart import measured_apart
from paperlib.costs.autograd import AutogradOperator
from paperlib.datasets.phantoms import phantom_volumes
from paperlib.operators import LinearOperator, freeze
from paperlib.svd import NotConvergedError, SingularTriplets, Solver, residuals, truncated_svd
from paperlib.training.phantoms import PhantomTraining, phantom_unet

_WORK = "paperlib.costs.solvers:decompose"

# The solvers of this library, which confirm all residuals by two products in their own time.
OWN = ("lanczos", "block lanczos")


@dataclass(frozen=True)
class Problem:
    """A trained U-Net (`PhantomTraining`) frozen at a generated volume of ``side`` voxels a side, and what is asked.

    ``k`` triplets at a relative two-sided residual of ``tol``, from start vectors drawn by ``seed``.
    """

    side: int
    k: int = 10
    tol: float = 1e-4
    seed: int = 0
    training: PhantomTraining = field(default_factory=PhantomTraining)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the network's matrix."""
        return 2 * self.side**3, self.training.modalities * self.side**3

    @classmethod
    def from_json(cls, fields: dict) -> "Problem":
        """The problem whose ``asdict`` is given."""
        return cls(**fields | {"training": PhantomTraining(**fields["training"])})

    def volume(self) -> Tensor:
        """``(1, modalities, side, side, side)``: one that the training has not seen."""
        return phantom_volumes(1, (self.side,) * 3, modalities=self.training.modalities, seed=300 + self.seed).images

    def operator(self, products: str = "") -> LinearOperator:
        """The network's matrix at the volume; its ``products`` are the frozen network's, or those of ``"autograd"``."""
        model, volume = phantom_unet(self.training).model, self.volume()
        return AutogradOperator(model, volume) if products == "autograd" else freeze(model, volume)[0]


@dataclass(frozen=True)
class SolverCost:
    """One solver's answer to a `Problem`: ``seconds`` by the clock and ``peak_mib`` of memory beyond the operator.

    ``check_seconds`` of the seconds went into the residuals of each triplet by products of its own, which another
    user of the solver may do without; the residuals of ``lanczos`` are part of it, by two products, and not counted
    here. ``products`` counts vectors multiplied by A or its transpose, ``residual`` is the largest relative two-sided
    one, ``values`` the singular values, and ``converged`` whether the tolerance was reached.
    """

    solver: str
    seconds: float
    check_seconds: float
    products: int
    residual: float
    peak_mib: float
    values: tuple[float, ...]
    converged: bool

    @property
    def solver_seconds(self) -> float:
        """Seconds without the check."""
        return self.seconds - self.check_seconds


def solver_costs(problem: Problem, solvers: Sequence[str], *, threads: int = 1, work: str = _WORK) -> list[SolverCost]:
    """Each solver in turn, on the CPU: a name that `truncated_svd` takes, with ``", autograd"`` behind it where its
    products are to be those of automatic differentiation.

    ``work`` names the function that a process runs, with the fields of the problem and a solver; one with other
    solvers may stand in for `decompose`. Raises ``ApartError`` where a process fails.
    """
    # So that no process trains the network, or all of them at once.
    phantom_unet(problem.training)
    costs = []
    for solver in solvers:
        found = measured_apart(work, threads=threads, solver=solver, problem=asdict(problem))
        answer = found.result | {"values": tuple(found.result["values"])}
        costs.append(SolverCost(solver, peak_mib=found.peak_mib, **answer))
    return costs


def growth(
    problem: Problem, solvers: Sequence[str], name: str, values: Sequence[int], *, threads: int = 1
) -> dict[int, list[SolverCost]]:
    """`solver_costs` for each value of one field of the problem, such as ``"side"`` or ``"k"``."""
    return {value: solver_costs(replace(problem, **{name: value}), solvers, threads=threads) for value in values}


def decompose(solver: str, problem: dict) -> Iterator[None]:
    """The work of one process: the operator is made before the measurement starts, the triplets within it."""
    asked = Problem.from_json(problem)
    torch.set_grad_enabled(False)
    name, _, products = solver.partition(", ")
    operator = asked.operator(products)
    yield
    start = time.perf_counter()
    found = solved(operator, name, asked)
    seconds = time.perf_counter() - start
    return answer(found) | {"seconds": seconds, "check_seconds": _check_seconds(operator, found, name)}


def solved(operator: LinearOperator, solver: str | Solver, asked: Problem) -> SingularTriplets:
    """What a solver finds, whether it is enough or not."""
    try:
        return truncated_svd(operator, asked.k, solver=solver, tol=asked.tol, seed=asked.seed)
    except NotConvergedError as error:
        return error.triplets


def _check_seconds(operator: LinearOperator, found: SingularTriplets, name: str) -> float:
    """Seconds of the residuals one by one, measured by computing them once more."""
    if name in OWN:
        return 0.0
    start = time.perf_counter()
    residuals(operator, found.U, found.S, found.Vh)
    return time.perf_counter() - start


def answer(triplets: SingularTriplets) -> dict:
    """Triplets as JSON values, without the vectors."""
    residuals = triplets.relative_residuals
    return {
        "products": triplets.products,
        "residual": float(residuals.max()) if len(residuals) else float("inf"),
        "values": triplets.S.tolist(),
        "converged": triplets.converged,
    }
