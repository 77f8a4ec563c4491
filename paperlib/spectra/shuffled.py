"""The control of every spectrum: the same weights in random order, which keeps their values and nothing else."""

import copy

import torch
from torch import Tensor, nn

from paperlib.spectra.matrizations import weight_layers


def shuffled_weight(weight: Tensor, generator: torch.Generator) -> Tensor:
    """The entries of a weight tensor in random order: same shape, dtype and norm."""
    order = torch.randperm(weight.numel(), generator=generator)
    return weight.detach().flatten()[order.to(weight.device)].reshape(weight.shape)


def shuffled(model: nn.Module, seed: int) -> nn.Module:
    """A copy of a network with the weights of each convolution and fully connected layer in random order."""
    result, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in weight_layers(result).values():
            layer.weight.copy_(shuffled_weight(layer.weight, generator))
    return result
