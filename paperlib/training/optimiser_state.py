"""What an optimiser remembers of each parameter, as tensors by name, so that a training can go on elsewhere."""

import torch
from torch import Tensor, nn


def optimiser_state(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's memory as ``optimiser.ENTRY.PARAMETER``; empty before the first step."""
    return {
        f"optimiser.{entry}.{name}": value.contiguous()
        for name, parameter in model.named_parameters()
        for entry, value in optimiser.state[parameter].items()
    }


def restore_optimiser(model: nn.Module, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimiser of the model's parameters back what `optimiser_state` took from it."""
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        _, entry, name = key.split(".", 2)
        parameter = parameters[name]
        # What has the parameter's shape has its device and memory layout too, on which rounding may depend;
        # Adam's count of steps is a number of its own.
        kept = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
        optimiser.state[parameter][entry] = kept
