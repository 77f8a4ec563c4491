"""Other libraries' answers to the question of `benchmarks/whole_network.py`, each run in a process of its own.

PRIMME is given this library's operator, and draws its own start vector. CoLA differentiates by itself; its Lanczos
takes a number of steps and no tolerance, so it is given 25, 50, 100 or 200, the least that reach the residual, and only
that last run is measured.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from paperlib.costs.solvers import Problem, answer
from paperlib.operators import CountingOperator, LinearOperator, to_scipy
from paperlib.svd.residuals import with_residuals
from paperlib.training.phantoms import phantom_unet

_Found = tuple[Tensor, Tensor, Tensor, int]  # U, S, Vh, products

PEERS = ("PRIMME", "CoLA Lanczos")


def decompose(solver: str, problem: dict) -> Iterator[None]:
    """The work of one process: imports and the network before the measurement, the rest within it."""
    asked = Problem.from_json(problem)
    operator = asked.operator("" if solver == "PRIMME" else "autograd")
    prepare = {"PRIMME": _primme, "CoLA Lanczos": _cola}[solver]
    run = prepare(operator, asked)
    yield
    start = time.perf_counter()
    U, S, Vh, products = run()
    seconds = time.perf_counter() - start
    found = with_residuals(operator, U, S, Vh, products=products, solver=solver, tol=asked.tol)
    return answer(found) | {"seconds": seconds, "check_seconds": 0.0}


def _primme(operator: LinearOperator, asked: Problem) -> Callable[[], _Found]:
    import primme

    def run() -> _Found:
        counted = CountingOperator(operator)
        found = primme.svds(
            to_scipy(counted, np.float64),
            asked.k,
            convtest=lambda value, left, right, residual: residual <= asked.tol * value,
        )
        return *(torch.from_numpy(np.ascontiguousarray(part)) for part in found), counted.products

    return run


def _cola(operator: LinearOperator, asked: Problem) -> Callable[[], _Found]:
    import cola

    model, volume = phantom_unet(asked.training).model, asked.volume()
    jacobian = cola.ops.Jacobian(lambda x: model(x.view(volume.shape)).reshape(-1), volume.reshape(-1))

    def run(steps: int) -> _Found:
        """Eigenvectors of the cross product on the smaller side, then the triplets from them."""
        method = cola.linalg.Lanczos(max_iters=steps, tol=asked.tol)
        values, vectors = cola.linalg.eig(cola.PSD(jacobian @ jacobian.T), k=asked.k, which="LM", alg=method)
        order = values.argsort(descending=True)
        S = values[order].double().clamp_min(0).sqrt()
        U = torch.linalg.qr(vectors.to_dense().double()[:, order]).Q
        rows = U.T.to(operator.dtype).reshape(asked.k, *operator.range_shape)
        right = operator.rmatmat(rows).flatten(1).double() / S.unsqueeze(1)
        # Two products a step, and one for each right vector.
        return U, S, right, 2 * steps + asked.k

    def enough(steps: int) -> bool:
        *triplets, products = run(steps)
        return with_residuals(operator, *triplets, products=products, solver="CoLA", tol=asked.tol).converged

    steps = next((steps for steps in (25, 50, 100) if enough(steps)), 200)
    return lambda: run(steps)
