"""The inverse of a whole network: the paper's layer-by-layer recipe, and the constrained one that works."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.inverse.activations import ActivationRange, activation_range, invert_in_float64, outside_range
from paperlib.inverse.constrained import Round, constrained_inverse, relative_distances
from paperlib.inverse.layers import LARGEST_SIDE, Activation, AffineMap, Chain, chain

METHODS = ("pseudoinverse", "constrained")
# Where a constrained inversion without `clip` takes wanted outputs that the last activation cannot give.
_DEFAULT_CLIP = 1e-3


@dataclass(frozen=True)
class LinearStep:
    """How one linear or convolutional layer was inverted.

    ``kind`` is ``"exact"`` (square matrix of full rank), ``"pseudoinverse"`` or ``"constrained"``; ``shape``, ``rank``
    and ``condition_number`` are those of its matrix ``W``. ``unreachable`` ``(count,)`` is the share in [0, 1] of the
    energy of the wanted ``y - b`` in the left null space of ``W``, which no input can reach. A constrained inversion
    measures it for the last layer; the others, which are asked for what they give at the input found, have 0.
    """

    path: str
    kind: str
    shape: tuple[int, int]
    rank: int
    condition_number: float
    unreachable: Tensor


@dataclass(frozen=True)
class ActivationStep:
    """How one activation was inverted; ``left_range`` ``(count,)`` marks the samples that had to be clipped for it."""

    path: str
    activation: str
    range: ActivationRange
    left_range: Tensor

    @property
    def share(self) -> float:
        """Share of the samples with an entry outside the open range."""
        return self.left_range.double().mean().item()


@dataclass(frozen=True)
class Inversion:
    """Inputs found for wanted outputs, and what the network makes of them.

    ``inputs`` ``(count, *input_shape)`` and ``reached`` ``(count, *output_shape)`` in the model's dtype; ``distances``
    ``(count,)`` are ``|reached - wanted|`` and ``relative_distances`` those over ``|wanted|``, in float64. ``steps``
    are in the order of inversion, last layer first. ``history`` has an entry for each sweep and step of the constrained
    method.
    """

    method: str
    inputs: Tensor
    reached: Tensor
    distances: Tensor
    relative_distances: Tensor
    steps: tuple[LinearStep | ActivationStep, ...]
    history: tuple[Round, ...] = ()

    @property
    def linear_steps(self) -> tuple[LinearStep, ...]:
        """The steps of linear and convolutional layers, last layer first."""
        return tuple(step for step in self.steps if isinstance(step, LinearStep))

    @property
    def activation_steps(self) -> tuple[ActivationStep, ...]:
        """The steps of activations, last first."""
        return tuple(step for step in self.steps if isinstance(step, ActivationStep))


@torch.no_grad()
def invert(
    model: nn.Module,
    outputs: Tensor,
    input_shape: tuple[int, ...],
    *,
    method: str = "pseudoinverse",
    clip: float | None = None,
    tolerance: float | None = None,
    sweeps: int = 20,
    margin: float = 0.1,
    weight: float = 0.03,
    refinements: int = 100,
    largest_side: int = LARGEST_SIDE,
) -> Inversion:
    """Find inputs that give ``outputs`` ``(count, *output_shape)`` (`vectorspaces`, Section 2.4, eq. 6).

    ``model`` is made of (nested) ``nn.Sequential``, linear layers, convolutions, layers of reshaping, dropout in
    evaluation mode and the activations of `paperlib.inverse.activations`. The arithmetic is in float64 whatever the
    model's dtype.

    - ``"pseudoinverse"``, the paper's recipe: ``x = W^+ (f^-1(y) - b)`` layer by layer, exact where ``W`` is square
      and of full rank. A pre-image outside the range of the activation before is an error, unless ``clip`` (see
      `invert_activation`) moves it inside.
    - ``"constrained"``: pre-images that stay in the range, by ``sweeps`` back through the layers and ``refinements``
      of the whole (see `constrained_inverse`, also for ``margin`` in (0, 1) and ``weight`` > 0, the pull towards the
      reference relative to the largest squared singular value). Wanted outputs outside the range of a last activation
      are moved inside by ``clip``, 0.001 if not given.

    What no input can give is no error: the distance says how far the network stays away. ``tolerance`` is the rank
    tolerance of the layers' matrices, by default from the dtype of their weights.

    Raises ``OutOfRangeError``, ``NotInvertibleError``, and ``ValueError`` for outputs of another shape or not finite,
    a model in training mode where that matters, and settings out of range.

    In the book: thm-layer-by-layer.
    """
    settings = {"sweeps": sweeps, "margin": margin, "weight": weight, "refinements": refinements}
    _check_settings(method, **settings)
    network = chain(model, input_shape, tolerance, largest_side)
    _check_outputs(outputs, network)
    weights = next(model.parameters(), outputs)
    wanted = outputs.detach().to(weights.device).flatten(1)
    if not wanted.is_floating_point():
        wanted = wanted.to(weights.dtype)
    if method == "pseudoinverse":
        found, steps, history = *_layer_by_layer(network, wanted, clip), ()
    else:
        found, steps, history = _constrained(network, wanted, clip, dtype=weights.dtype, **settings)
    inputs = found.reshape(len(found), *network.input_shape).to(weights.dtype)
    # A copy: a model may begin with an activation that works in place.
    reached = model(inputs.clone())
    distances = (reached.flatten(1).double() - wanted.double()).norm(dim=1)
    return Inversion(method, inputs, reached, distances, relative_distances(distances, wanted), steps, history)


def _layer_by_layer(
    network: Chain, wanted: Tensor, clip: float | None
) -> tuple[Tensor, tuple[LinearStep | ActivationStep, ...]]:
    y, steps = wanted, []
    for step in reversed(network.steps):
        if isinstance(step, Activation):
            steps.append(_activation_step(step, outside_range(step.module, y).any(1)))
            y = invert_in_float64(step.module, y, clip, step.path)
        else:
            y = y.double()
            steps.append(_linear_step(step, "exact" if step.exact else "pseudoinverse", step.unreachable(y)))
            y = step.invert(y)
    return y, tuple(steps)


def _constrained(
    network: Chain, wanted: Tensor, clip: float | None, **settings: float | torch.dtype
) -> tuple[Tensor, tuple[LinearStep | ActivationStep, ...], tuple[Round, ...]]:
    found = constrained_inverse(network, wanted, clip=_DEFAULT_CLIP if clip is None else clip, **settings)
    # Pre-images of the activations before a map are inside by construction.
    inside = torch.zeros(len(wanted), dtype=torch.bool, device=wanted.device)
    left_range, steps = iter(found.left_range.flip(0)), []
    last = True
    for step in reversed(network.steps):
        if isinstance(step, Activation):
            steps.append(_activation_step(step, next(left_range, inside)))
        else:
            unreachable = step.unreachable(found.targets) if last else torch.zeros_like(found.inputs[:, 0])
            steps.append(_linear_step(step, "constrained", unreachable))
            last = False
    return found.inputs, tuple(steps), found.history


def _linear_step(step: AffineMap, kind: str, unreachable: Tensor) -> LinearStep:
    spaces = step.spaces
    return LinearStep(step.path, kind, spaces.shape, spaces.rank, spaces.condition_number, unreachable)


def _activation_step(step: Activation, left_range: Tensor) -> ActivationStep:
    return ActivationStep(step.path, type(step.module).__name__, activation_range(step.module), left_range)


def _check_settings(method: str, sweeps: int, margin: float, weight: float, refinements: int) -> None:
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(map(repr, METHODS))}")
    if not (sweeps >= 0 and refinements >= 0 and sweeps + refinements and 0 < margin < 1 and 0 < weight < torch.inf):
        raise ValueError(
            f"sweeps is {sweeps}, refinements {refinements}, margin {margin}, weight {weight}; expected at least one "
            "sweep or refinement, margin in (0, 1), weight > 0"
        )


def _check_outputs(outputs: Tensor, network: Chain) -> None:
    if tuple(outputs.shape[1:]) != network.output_shape or outputs.dim() == 0 or len(outputs) == 0:
        expected = ", ".join(map(str, ("count", *network.output_shape)))
        raise ValueError(f"outputs have shape {tuple(outputs.shape)}; the model's have ({expected}), count above 0")
    wrong = int((~torch.isfinite(outputs)).sum())
    if wrong:
        raise ValueError(f"{wrong} of the {outputs.numel()} wanted outputs are NaN or infinite; remove those samples")
