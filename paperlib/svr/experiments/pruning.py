"""What becomes of a network's accuracy when it keeps some of its spectral neurons (`svr`, Section 3.1)."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.datasets import ImageData
from paperlib.subspaces.layers import linear_layer
from paperlib.svr.neurons import SpectralNeurons, compose, spectral_neurons
from paperlib.training.loop import accuracy


@dataclass(frozen=True)
class Pruned:
    """Accuracies in [0, 1] of a network with all its spectral neurons and with as many as ``ranks`` says of each layer.

    ``leading`` keeps those of the largest singular values, ``bottom`` those of the smallest, and each of ``random``
    others drawn at random.
    """

    ranks: tuple[int, ...]
    whole: float
    leading: float
    bottom: float
    random: tuple[float, ...]


def keeping(model: nn.Module, chosen: Mapping[str, Tensor]) -> nn.Module:
    """A copy of a fully connected network whose layer at each path keeps its spectral neurons ``chosen`` (int64).

    Raises ``LayerError`` for a path that is none of the model's linear layers.
    """
    model = copy.deepcopy(model)
    for path, indices in chosen.items():
        layer = linear_layer(model, path)
        neurons = spectral_neurons(layer)
        kept = SpectralNeurons(neurons.U[..., indices], neurons.S[indices], neurons.V[..., indices], neurons.side)
        layer.weight = nn.Parameter(compose(kept, ()).to(layer.weight), requires_grad=False)
    return model


def prune(
    model: nn.Module, ranks: Mapping[str, int], data: ImageData, draws: int, generator: torch.Generator
) -> Pruned:
    """Keep ``ranks[path]`` spectral neurons of each layer in three ways, ``draws`` times at random."""
    counts = {path: len(spectral_neurons(linear_layer(model, path))) for path in ranks}

    def kept(choose) -> float:
        return accuracy(keeping(model, {path: choose(counts[path], rank) for path, rank in ranks.items()}), data)

    return Pruned(
        ranks=tuple(ranks.values()),
        whole=accuracy(model, data),
        leading=kept(lambda count, rank: torch.arange(rank)),
        bottom=kept(lambda count, rank: torch.arange(count - rank, count)),
        random=tuple(kept(lambda count, rank: torch.randperm(count, generator=generator)[:rank]) for _ in range(draws)),
    )
