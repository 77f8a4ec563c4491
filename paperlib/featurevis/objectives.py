"""What images are optimised for: the signal of singular directions, summed over receptive fields (`convsvd`, 6.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.featurevis.running import layer_at, layer_output, layer_outputs
from paperlib.svr.neurons import SpectralNeurons, spectral_neurons

Targets = Sequence[int] | Tensor


@dataclass(frozen=True)
class Objective:
    """``n`` functions of an image: ``sum_j (t^T Y)[j]`` over the positions j of the output Y of the layer at ``path``.

    ``vectors`` ``(n, channels)`` float64 holds the t. For one direction it is ``u_i``, which makes equation 19 since
    ``u_i^T Y = s_i v_i^T Psi(X)``; for a weighted set the sum of ``w_i u_i``, which makes equation 20; for a channel,
    or a class where the layer gives logits, a unit vector.
    """

    path: str
    vectors: Tensor

    def __len__(self) -> int:
        return len(self.vectors)


def objective(model: nn.Module, path: str, targets: Targets) -> Objective:
    """The objectives of singular directions of the layer at ``path`` (`convsvd`, eq. 19 and 20).

    ``targets`` are indices of directions, from the largest singular value, or weights ``(n, r)``, a row for each
    image, where r is the number of non-zero singular values. Singular vectors are those of `spectral_neurons`.

    Raises ``LayerError`` for a layer that is not there or has no directions, ``IndexError`` for a direction out of
    range, and ``ValueError`` for weights of another shape, that are not finite or all zero, and for no targets.
    """
    U = directions(model, path).U.squeeze(1)
    if isinstance(targets, Tensor) and targets.is_floating_point():
        return Objective(path, _checked_weights(targets, path, U.shape[1]).to(U) @ U.mT)
    return Objective(path, U.mT[checked_directions(targets, path, U.shape[1])])


def channel_objective(model: nn.Module, path: str, channels: Sequence[int]) -> Objective:
    """The objectives of channels of the layer at ``path``; of the last layer these are the logits of classes.

    Raises ``LayerError`` for a layer that is not there or has no directions and ``IndexError`` for other channels.
    """
    count = len(directions(model, path).U)
    chosen = checked_directions(channels, path, count, what="channel")
    return Objective(path, torch.eye(count, dtype=torch.float64)[chosen])


def objective_values(model: nn.Module, goal: Objective, images: Tensor, *, batch_size: int = 50) -> Tensor:
    """Every objective at every image: ``(images, n)`` in the model's dtype, on the CPU.

    Divided by the number of positions it is the signal vector's entry. Raises what `layer_outputs` raises.
    """
    maps = layer_outputs(model, goal.path, images, batch_size)
    return torch.cat([torch.einsum("nc,bc->bn", goal.vectors.to(y), summed(y)).cpu() for y in maps])


def paired_values(model: nn.Module, goal: Objective, images: Tensor) -> Tensor:
    """Objective i at image i, ``(n,)``, with gradients; there are as many images as objectives."""
    y = layer_output(model, goal.path, images)
    return (goal.vectors.to(y) * summed(y)).sum(1)


def summed(y: Tensor) -> Tensor:
    """Sums over the positions of ``(batch, channels, *positions)``: ``(batch, channels)``."""
    return y.flatten(2).sum(2) if y.dim() > 2 else y


def directions(model: nn.Module, path: str) -> SpectralNeurons:
    """The singular triplets of the output unfolding of the layer at ``path``, those of value zero left out."""
    return spectral_neurons(layer_at(model, path))


def checked_directions(given: Sequence[int] | Tensor, path: str, count: int, what: str = "direction") -> list[int]:
    """Indices as a list; raises ``IndexError`` for one outside 0..count - 1 and ``ValueError`` for none."""
    chosen = [int(index) for index in given]
    wrong = [index for index in chosen if not 0 <= index < count]
    if wrong:
        raise IndexError(f"layer {path} has {count} {what}s, 0..{count - 1}; there is no {what} {wrong[0]}")
    if not chosen:
        raise ValueError(f"no {what} of layer {path} is given; expected one or more of 0..{count - 1}")
    return chosen


def _checked_weights(weights: Tensor, path: str, count: int) -> Tensor:
    if weights.dim() != 2 or not len(weights) or weights.shape[1] != count:
        raise ValueError(
            f"weights are {tuple(weights.shape)}; expected a row for each image with one weight for each of the "
            f"{count} directions of layer {path}: (images, {count})"
        )
    if not torch.isfinite(weights).all():
        raise ValueError(f"{int((~torch.isfinite(weights)).sum())} of the weights are NaN or infinite")
    empty = (weights == 0).all(1).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"row {empty[0]} of the weights is zero; an image needs at least one direction")
    return weights
