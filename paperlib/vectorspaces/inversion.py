"""What the page on the inverse measures: round trips, and how near an inversion comes."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from paperlib.inverse import Inversion, activation_range, invert, invert_activation
from paperlib.models import ACTIVATIONS, fully_connected

INVERTIBLE = ("selu", "leaky_relu", "tanh", "sigmoid", "softplus")
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def activation_round_trips() -> dict[str, dict[str, float]]:
    """Open range of each activation, and by dtype its largest ``|f^-1(f(z)) - z| / max(1, |z|)`` for z in [-4, 4]."""
    found = {}
    for name in INVERTIBLE:
        activation = ACTIVATIONS[name]()
        low, high = activation_range(activation)
        found[name] = {"low": _finite(low), "high": _finite(high)}
        for dtype_name, dtype in _DTYPES.items():
            z = torch.linspace(-4, 4, 4001, dtype=dtype)
            error = (invert_activation(activation, activation(z)) - z).abs() / z.abs().clamp_min(1)
            found[name][dtype_name] = error.max().item()
    return found


def square_round_trips(
    activation: str, seed: int, *, side: int = 64, depth: int = 4, count: int = 100
) -> dict[str, float]:
    """By dtype the largest ``|x_found - x| / |x|`` of ``count`` random inputs of a network of orthogonal layers."""
    generator = torch.Generator().manual_seed(seed)
    model = fully_connected([side] * (depth + 1), activation).requires_grad_(False)
    for layer in model:
        if isinstance(layer, nn.Linear):
            layer.weight.copy_(torch.linalg.qr(torch.randn(side, side, dtype=torch.float64, generator=generator)).Q)
    inputs = torch.randn(count, side, dtype=torch.float64, generator=generator)
    errors = {}
    for name, dtype in _DTYPES.items():
        x = inputs.to(dtype)
        # The weights are rounded to float32 in both: nearly orthogonal is enough.
        found = invert(model.to(dtype), model.to(dtype)(x), (side,)).inputs
        errors[name] = ((found - x).norm(dim=1) / x.norm(dim=1)).max().item()
    return errors


def range_exits(found: Inversion) -> dict[str, list[float] | float]:
    """Shares of the samples that left the range, by activation from the last, alone and added up."""
    left = torch.stack([step.left_range for step in found.activation_steps])
    so_far = left.cummax(0).values.double().mean(1).tolist()
    return {
        "leaves_range": left.double().mean(1).tolist(),
        "leaves_range_so_far": so_far,
        "leaves_range_in_all": so_far[-1],
    }


def inversion_summary(found: Inversion, wanted: Tensor) -> dict[str, float]:
    """Relative distances, the share of samples whose largest output stays the largest, and the inputs' median norm."""
    return {
        "median_relative_distance": found.relative_distances.median().item(),
        "largest_relative_distance": found.relative_distances.max().item(),
        "kept_classes": (found.reached.argmax(1) == wanted.argmax(1)).double().mean().item(),
        "input_norm": found.inputs.flatten(1).norm(dim=1).median().item(),
    }


def inversion_rounds(found: Inversion) -> dict[str, list]:
    """Median and largest relative distance by round, and the kind of each round."""
    return {
        "kinds": [part.kind for part in found.history],
        "medians": [part.median for part in found.history],
        "largest": [part.largest for part in found.history],
    }


def by_sweep(rounds: Mapping[str, list]) -> list[float]:
    """Medians after the sweeps among the rounds of `inversion_rounds`."""
    return [median for kind, median in zip(rounds["kinds"], rounds["medians"], strict=True) if kind == "sweep"]


def short(distance: float) -> str:
    """A distance in as few letters as say its size: ``"84"``, ``"3e-07"``."""
    return f"{distance:.0f}" if distance >= 1 else f"{distance:.0e}"


def _finite(bound: float) -> float | None:
    """A bound for a result file, which holds no infinity."""
    return bound if abs(bound) != float("inf") else None
