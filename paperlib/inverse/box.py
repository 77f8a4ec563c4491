"""Least squares with bounds and a pull towards a reference, for many right-hand sides of one matrix at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.subspaces.spaces import FourSpaces, four_spaces

# Usual over-relaxation of ADMM, and how many iterations pass between two looks at the residuals.
_RELAXATION = 1.6
_PERIOD = 10


@dataclass(frozen=True)
class BoxSolution:
    """What `box_least_squares` found.

    ``solutions`` ``(count, n)`` float64 always lie inside the bounds. ``primal_residuals`` and ``dual_residuals``
    ``(count,)`` are relative; ``converged`` ``(count,)`` says that both are at most the tolerance. ``iterations``
    ``(count,)`` is 0 where the minimiser without bounds lies inside them.
    """

    solutions: Tensor
    primal_residuals: Tensor
    dual_residuals: Tensor
    iterations: Tensor
    converged: Tensor


def box_least_squares(
    matrix: Tensor | FourSpaces,
    targets: Tensor,
    reference: Tensor,
    low: float | Tensor,
    high: float | Tensor,
    weight: float | Tensor,
    tolerance: float = 1e-6,
    max_iterations: int = 2000,
) -> BoxSolution:
    """Minimise ``|W h - z|^2 + weight |h - reference|^2`` subject to ``low <= h <= high``, for each row z of targets.

    ``matrix`` ``(m, n)`` or its decomposition, ``targets`` ``(count, m)``, ``reference`` ``(count, n)`` (or what
    broadcasts to it, as do the bounds, which may be infinite), ``weight`` > 0 one number or one for each row. The
    weight makes the solution unique whatever the rank.

    The alternating direction method of multipliers, over-relaxed, on one SVD: h minimises the quadratic part near u,
    u is h moved inside the bounds, and ``rho = (weight (s_0^2 + weight))^(1/2)`` balances the two. It stops for a row
    when ``|h - u| <= tolerance max(|h|, |u|)`` and ``rho |u - u_before| <= tolerance max(|W^T z + weight reference|,
    |multiplier|)``, looked at every ten iterations, or after ``max_iterations``.

    Raises ``ValueError`` for shapes that do not fit, a weight or tolerance that is not positive, NaN, or a lower bound
    above the upper one.
    """
    spaces = matrix if isinstance(matrix, FourSpaces) else four_spaces(matrix)
    z, reference, low, high, weight = _checked(spaces, targets, reference, low, high, weight, tolerance, max_iterations)
    gradient = (z @ spaces.U * spaces.S) @ spaces.Vh + weight * reference
    free = _damped(spaces, gradient, weight)
    count = len(z)
    found = free.clamp(low, high)
    primal, dual = torch.zeros(2, count, dtype=z.dtype, device=z.device)
    iterations = torch.zeros(count, dtype=torch.int64, device=z.device)
    rows = (found != free).any(1).nonzero().squeeze(1)
    rho = torch.sqrt(weight * (_largest(spaces) ** 2 + weight))
    state = [part[rows] for part in (gradient, weight, rho, low, high, found)]
    state.append(torch.zeros_like(state[-1]))
    for iteration in range(1, max_iterations + 1):
        if not len(rows):
            break
        state, residuals = _iterate(spaces, state, look=iteration % _PERIOD == 0 or iteration == max_iterations)
        if residuals is None:
            continue
        found[rows], iterations[rows] = state[5], iteration
        primal[rows], dual[rows] = residuals
        open_rows = (torch.maximum(*residuals) > tolerance).nonzero().squeeze(1)
        rows, state = rows[open_rows], [part[open_rows] for part in state]
    return BoxSolution(found, primal, dual, iterations, torch.maximum(primal, dual) <= tolerance)


def _iterate(spaces: FourSpaces, state: list[Tensor], look: bool) -> tuple[list[Tensor], tuple[Tensor, Tensor] | None]:
    """One iteration; ``state`` is gradient at 0, weight, rho, low, high, u and the scaled multiplier."""
    gradient, weight, rho, low, high, u, multiplier = state
    h = _damped(spaces, gradient + rho * (u - multiplier), weight + rho)
    relaxed = _RELAXATION * h + (1 - _RELAXATION) * u
    moved = (relaxed + multiplier).clamp(low, high)
    multiplier = multiplier + relaxed - moved
    residuals = None
    if look:
        tiny = torch.finfo(h.dtype).tiny
        sizes = torch.maximum(h.norm(dim=1), moved.norm(dim=1)).clamp_min(tiny)
        forces = torch.maximum(gradient.norm(dim=1), (rho * multiplier).norm(dim=1)).clamp_min(tiny)
        residuals = (h - moved).norm(dim=1) / sizes, (rho * (moved - u)).norm(dim=1) / forces
    return [gradient, weight, rho, low, high, moved, multiplier], residuals


def _damped(spaces: FourSpaces, right: Tensor, damping: Tensor) -> Tensor:
    """Solve ``(W^T W + damping I) h = right`` for each row; ``damping`` ``(count, 1)``."""
    on_rows = (right @ spaces.Vh.mT) * (1 / (spaces.S**2 + damping) - 1 / damping)
    return right / damping + on_rows @ spaces.Vh


def _largest(spaces: FourSpaces) -> float:
    return spaces.S[0].item() if spaces.rank else 0.0


def _checked(
    spaces: FourSpaces,
    targets: Tensor,
    reference: Tensor,
    low: float | Tensor,
    high: float | Tensor,
    weight: float | Tensor,
    tolerance: float,
    max_iterations: int,
) -> list[Tensor]:
    """Targets, reference, bounds and weights in float64, each with one row for each target."""
    rows, columns = spaces.shape
    if targets.dim() != 2 or targets.shape[1] != rows:
        raise ValueError(f"targets have shape {tuple(targets.shape)}; expected (count, {rows})")
    if not (tolerance > 0 and max_iterations >= 1):
        raise ValueError(f"tolerance is {tolerance}, max_iterations {max_iterations}; expected positive numbers")
    count, like = len(targets), spaces.U
    parts = [targets.to(like)]
    shapes = {"reference": (count, columns), "low": (count, columns), "high": (count, columns), "weight": (count, 1)}
    for (name, shape), value in zip(shapes.items(), (reference, low, high, weight), strict=True):
        value = torch.as_tensor(value, dtype=like.dtype, device=like.device)
        if name == "weight" and value.dim() == 1:
            value = value.unsqueeze(1)
        try:
            parts.append(value.expand(shape))
        except RuntimeError as error:
            raise ValueError(f"{name} has shape {tuple(value.shape)}, which does not broadcast to {shape}") from error
    z, reference, low, high, weight = parts
    if not (torch.isfinite(z).all() and torch.isfinite(reference).all()):
        raise ValueError("targets and reference must be finite; some entries are NaN or infinite")
    if not ((weight > 0) & torch.isfinite(weight)).all():
        raise ValueError(f"weight must be positive and finite; the smallest is {weight.min().item()}")
    if not (low <= high).all():
        raise ValueError("a lower bound is above its upper bound, or a bound is NaN")
    return parts
