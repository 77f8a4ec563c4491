"""Other libraries' answers to the question of `benchmarks/whole_network.py`, each run in a process of its own.

``svds`` and SLEPc over automatic differentiation are what one has without an adjoint network: products by
`torch.func.jvp` and by the closure of one `torch.func.vjp`, which keeps its graph. PRIMME is given this library's
operator, and draws its own start vector. CoLA differentiates by itself; its Lanczos takes a number of steps and no
tolerance, so it is given 25, 50, 100 or 200, the least that reach the residual, and only that last run is measured.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from paperlib.costs.solvers import Problem, answer, solved
from paperlib.operators import CountingOperator, LinearOperator, to_scipy
from paperlib.svd.residuals import with_residuals
from paperlib.training.phantoms import phantom_unet

PEERS = ("SLEPc cross, autograd", "SciPy arpack, autograd", "PRIMME", "CoLA Lanczos")


class AutogradOperator(LinearOperator):
    """The Jacobian of a network at an image, by `torch.func`."""

    def __init__(self, model: torch.nn.Module, images: Tensor):
        self.function, self.images = model, images
        outputs, self._pull_back = torch.func.vjp(model, images)
        super().__init__(tuple(images.shape[1:]), tuple(outputs.shape[1:]), images.dtype, images.device)

    def _matmat(self, vectors: Tensor) -> Tensor:
        pushed = [torch.func.jvp(self.function, (self.images,), (v.unsqueeze(0),))[1] for v in vectors]
        return torch.cat(pushed)

    def _rmatmat(self, vectors: Tensor) -> Tensor:
        return torch.cat([self._pull_back(v.unsqueeze(0))[0] for v in vectors])


def decompose(solver: str, problem: dict) -> Iterator[None]:
    """The work of one process: imports and the network before the measurement, the rest within it."""
    asked = Problem.from_json(problem)
    if solver == "PRIMME":
        import primme

        operator = asked.operator()
        yield
        return _primme(primme, operator, asked)
    model, volume = phantom_unet(asked.training).model, asked.volume()
    if solver == "CoLA Lanczos":
        import cola

        steps = _enough_steps(cola, model, volume, asked)
        yield
        return _cola(cola, model, volume, asked, steps)
    name = {"SLEPc cross, autograd": "slepc cross", "SciPy arpack, autograd": "scipy arpack"}[solver]
    yield
    return answer(solved(AutogradOperator(model, volume), name, asked))


def _primme(primme, operator: LinearOperator, asked: Problem) -> dict:
    counted = CountingOperator(operator)
    U, S, Vh = primme.svds(
        to_scipy(counted, np.float64),
        asked.k,
        convtest=lambda value, left, right, residual: residual <= asked.tol * value,
    )
    U, S, Vh = (torch.from_numpy(np.ascontiguousarray(part)) for part in (U, S, Vh))
    products = counted.products
    return answer(with_residuals(operator, U, S, Vh, products=products, solver="PRIMME", tol=asked.tol))


def _cola(cola, model: torch.nn.Module, volume: Tensor, asked: Problem, steps: int) -> dict:
    """Eigenvectors of the cross product on the smaller side, then the triplets from them."""
    jacobian = cola.ops.Jacobian(lambda x: model(x.view(volume.shape)).reshape(-1), volume.reshape(-1))
    method = cola.linalg.Lanczos(max_iters=steps, tol=asked.tol)
    values, vectors = cola.linalg.eig(cola.PSD(jacobian @ jacobian.T), k=asked.k, which="LM", alg=method)
    operator = AutogradOperator(model, volume)
    U = vectors.to_dense().double() if hasattr(vectors, "to_dense") else vectors.double()
    S = values.double().clamp_min(0).sqrt()
    order = S.argsort(descending=True)
    U, S = torch.linalg.qr(U[:, order]).Q, S[order]
    rows = U.T.to(operator.dtype).reshape(asked.k, *operator.range_shape)
    right = operator.rmatmat(rows).flatten(1).double() / S.unsqueeze(1)
    # Two products a step, and one for each right vector.
    products = 2 * steps + asked.k
    return answer(with_residuals(operator, U, S, right, products=products, solver="CoLA", tol=asked.tol))


def _enough_steps(cola, model: torch.nn.Module, volume: Tensor, asked: Problem) -> int:
    for steps in (25, 50, 100):
        if _cola(cola, model, volume, asked, steps)["converged"]:
            return steps
    return 200
