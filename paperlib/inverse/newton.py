"""Damped Gauss-Newton steps of the input towards a wanted output, batched over samples."""

from collections.abc import Iterator

import torch
from torch import Tensor

from paperlib.inverse.layers import Activation, Chain

# A step that brings a sample nearer divides its damping by ten, one that does not is undone and multiplies it by ten.
_FIRST_DAMPING, _SHRINK, _GROW = 1e-2, 0.1, 10.0
# No step can be short enough beyond this damping: the sample is at a minimum, or at the end of its digits.
_LARGEST_DAMPING = 1e10
# Bytes that the Jacobians of one piece of the batch may take.
_PIECE = 2**28


def gauss_newton(
    chain: Chain, inputs: Tensor, wanted: Tensor, goal: Tensor, steps: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs ``(count, n)`` and distances ``(count,)`` after each of at most ``steps`` steps, float64.

    A step of the method of Levenberg and Marquardt adds ``J^T (J J^T + d |J|^2 / r I)^-1 (wanted - reached)``, with
    the Jacobian ``J`` ``(m, n)`` of the network at the sample, its Frobenius norm ``|J|``, ``r = min(m, n)`` and the
    sample's damping ``d``. No distance ever rises. It ends where every sample is at its ``goal`` ``(count,)``, or
    cannot come nearer.
    """
    inputs, damping = inputs.clone(), wanted.new_full((len(wanted),), _FIRST_DAMPING)
    distances = (_forwards(chain, inputs) - wanted).norm(dim=1)
    for _ in range(steps):
        rows = ((distances > goal) & (damping < _LARGEST_DAMPING)).nonzero().squeeze(1)
        if not len(rows):
            return
        tried = torch.cat([_step(chain, inputs[part], wanted[part], damping[part]) for part in _pieces(chain, rows)])
        distance = (_forwards(chain, tried) - wanted[rows]).norm(dim=1)
        nearer = distance < distances[rows]
        damping[rows] *= torch.where(nearer, _SHRINK, _GROW)
        inputs[rows[nearer]], distances[rows[nearer]] = tried[nearer], distance[nearer]
        yield inputs.clone(), distances.clone()


def _step(chain: Chain, x: Tensor, wanted: Tensor, damping: Tensor) -> Tensor:
    y, jacobian = _jacobian(chain, x)
    rows, columns = jacobian.shape[1:]
    missing = (wanted - y).unsqueeze(2)
    size = jacobian.square().sum((1, 2)) / min(rows, columns)
    # Where the network is flat no step helps, but the system must not be singular.
    shift = (damping * torch.where(size > 0, size, 1)).reshape(-1, 1, 1)
    if rows <= columns:
        change = jacobian.mT @ _solve(jacobian @ jacobian.mT, shift, missing)
    else:
        change = _solve(jacobian.mT @ jacobian, shift, jacobian.mT @ missing)
    return x + change.squeeze(2)


def _solve(gram: Tensor, shift: Tensor, right: Tensor) -> Tensor:
    return torch.linalg.solve(gram + shift * torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device), right)


def _jacobian(chain: Chain, x: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs ``(count, m)`` and Jacobians ``(count, m, n)``, from the output back."""
    slopes = []
    for step in chain.steps:
        if isinstance(step, Activation):
            slopes.append(_slope(step, x))
        x = step(x)
    width = x.shape[1]
    jacobian = torch.eye(width, dtype=x.dtype, device=x.device).expand(len(x), width, width)
    for step in reversed(chain.steps):
        jacobian = jacobian * slopes.pop().unsqueeze(1) if isinstance(step, Activation) else jacobian @ step.matrix
    return x, jacobian


def _slope(step: Activation, x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(step(x).sum(), x)[0]


def _forwards(chain: Chain, x: Tensor) -> Tensor:
    for step in chain.steps:
        x = step(x)
    return x


def _pieces(chain: Chain, rows: Tensor) -> tuple[Tensor, ...]:
    outputs = torch.Size(chain.output_shape).numel()
    sizes = [torch.Size(chain.input_shape).numel(), outputs]
    sizes += [max(step.matrix.shape) for step in chain.steps if not isinstance(step, Activation)]
    return rows.split(max(1, _PIECE // (8 * outputs * max(sizes))))
