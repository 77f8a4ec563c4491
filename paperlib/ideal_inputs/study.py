"""Several starts trained side by side, and how far each comes (`vectorspaces`, Figure 3)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from paperlib.ideal_inputs.training import InputTrainingError, TrainedInputs, train_inputs


def train_starts(model: nn.Module, starts: Mapping[str, Tensor], ideal: Tensor, **settings) -> dict[str, TrainedInputs]:
    """Train every start ``(C, *shape)`` of ``starts`` towards the ideal outputs ``(C, C)`` in one batch.

    ``settings`` are those of `train_inputs`, whose errors are raised; ``ValueError`` also where a start does not have
    an image for each class.
    """
    wrong = [name for name, images in starts.items() if len(images) != len(ideal)]
    if wrong:
        raise ValueError(f"start {wrong[0]!r} has {len(starts[wrong[0]])} images; expected {len(ideal)}, one a class")
    found = train_inputs(model, torch.cat(list(starts.values())), ideal.repeat(len(starts), 1), **settings)
    parts = [part.split(len(ideal)) for part in (found.images, found.before, found.after)]
    columns = zip(*parts, found.losses.split(len(ideal), dim=1), strict=True)
    return {name: TrainedInputs(*column) for name, column in zip(starts, columns, strict=True)}


def relative_drop(trained: TrainedInputs) -> Tensor:
    """Share of its distance ``(N,)`` that each image lost by training; negative where it went away, 0 at distance 0."""
    return torch.where(trained.before > 0, 1 - trained.after / trained.before, 0)


def mean_drop(trained: Mapping[str, TrainedInputs]) -> float:
    """Mean of the relative drops of all images of all starts."""
    return torch.cat([relative_drop(part) for part in trained.values()]).mean().item()


def drop_by_rate(
    model: nn.Module, starts: Mapping[str, Tensor], ideal: Tensor, rates: Sequence[float], **settings
) -> dict[float, float | None]:
    """Mean relative drop at each learning rate, one batched run each; None where a loss stopped being finite."""
    drops: dict[float, float | None] = {}
    for rate in rates:
        try:
            drops[rate] = mean_drop(train_starts(model, starts, ideal, learning_rate=rate, **settings))
        except InputTrainingError:
            drops[rate] = None
    return drops
