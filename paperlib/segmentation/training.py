"""Training of one fold that can be interrupted and resumed with the same result."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from paperlib.datasets.volumes import VolumeSet
from paperlib.segmentation.folds import Parts, parts
from paperlib.segmentation.inference import volume_dice
from paperlib.segmentation.patches import TrainingPatches
from paperlib.segmentation.recipe import (
    SegmentationMoment,
    SegmentationNetwork,
    SegmentationRecipe,
    SegmentationSummary,
)
from paperlib.training.dice import relaxed_dice_loss
from paperlib.training.errors import TrainingError
from paperlib.training.state_files import read_state, write_state
from paperlib.training.steps import flushed_denormals


@dataclass
class _Run:
    """A training between two epochs: all that has to survive an interruption."""

    recipe: SegmentationRecipe
    model: nn.Module
    optimiser: torch.optim.Optimizer
    best: dict[str, Tensor] = field(default_factory=dict)
    epoch: int = 0
    seconds: float = 0.0
    history: list[SegmentationMoment] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def train_segmentation(
    recipe: SegmentationRecipe,
    volumes: VolumeSet,
    *,
    state_file: Path | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> SegmentationNetwork:
    """Train the network of a recipe's fold on ``volumes``, all of the data set's.

    With a ``state_file`` the state is written there after each epoch, and an interrupted run goes on from it and ends
    with the weights that an uninterrupted one has; the file is left to the caller to remove. ``progress`` shows a bar.
    Raises ``TrainingError`` where loss or weights are not finite, or the state file is damaged or another training's,
    and what reading the volumes raises.
    """
    split = parts(recipe, volumes.names)
    run = _start(recipe, state_file, device)
    patches = TrainingPatches(volumes.select(split.train, "training"), recipe)
    validation = volumes.select(split.validation, "validation")
    epochs = tqdm(
        range(run.epoch, recipe.epochs), recipe.name, recipe.epochs, initial=run.epoch, unit="epoch", mininterval=2,
        disable=not progress,
    )  # fmt: skip
    with flushed_denormals():
        for epoch in epochs:
            start = time.perf_counter()
            run.losses += _train_epoch(run, patches, epoch, device)
            run.epoch = epoch + 1
            looked = run.epoch % recipe.validate_every == 0 or run.epoch == recipe.epochs
            seen = _validated(run, validation) if looked else None
            run.seconds += time.perf_counter() - start
            if seen is not None:
                _remember(run, seen)
                epochs.set_postfix(dice=f"{seen:.3f}")
            if state_file is not None:
                _save(run, state_file)
    return _network(run, split, device)


def _start(recipe: SegmentationRecipe, state_file: Path | None, device: str) -> _Run:
    # Channels-last convolutions take half the time on CPUs; the arithmetic is the same up to its order.
    model = recipe.network().to(device=device, memory_format=torch.channels_last_3d)
    run = _Run(recipe, model, torch.optim.Adam(model.parameters(), lr=recipe.learning_rate))
    if state_file is not None and state_file.is_file():
        header, run.best = read_state(state_file, model, run.optimiser, recipe.question)
        run.epoch, run.seconds = int(header["epoch"]), float(header["seconds"])
        run.history = [SegmentationMoment(**moment) for moment in json.loads(header["history"])]
        run.losses = json.loads(header["losses"])
    return run


def _train_epoch(run: _Run, patches: TrainingPatches, epoch: int, device: str) -> list[float]:
    run.model.train()
    losses = []
    batches = -(-len(patches) // run.recipe.batch_size)
    for step, (images, labels) in enumerate(patches.epoch(epoch), start=epoch * batches + 1):
        run.optimiser.param_groups[0]["lr"] = run.recipe.learning_rate * min(1.0, step / max(run.recipe.warm_up, 1))
        run.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=run.recipe.precision == "bfloat16"):
            outputs = run.model(images.to(device).contiguous(memory_format=torch.channels_last_3d))
        loss = relaxed_dice_loss(outputs.float(), labels.to(device))
        loss.backward()
        run.optimiser.step()
        losses.append(loss.item())
        if not losses[-1] < float("inf"):
            raise TrainingError(f"the loss is {losses[-1]} in epoch {epoch + 1}; a smaller learning rate may mend it")
    return losses


def _validated(run: _Run, validation: VolumeSet) -> float:
    run.model.eval()
    values = volume_dice(run.model, validation, run.recipe)
    return sum(values) / len(values)


def _remember(run: _Run, seen: float) -> None:
    if not run.history or seen > max(moment.validation_dice for moment in run.history):
        run.best = {name: value.detach().clone() for name, value in run.model.state_dict().items()}
    loss = sum(run.losses) / len(run.losses)
    run.losses = []
    run.history.append(
        SegmentationMoment(epoch=run.epoch, loss=loss, validation_dice=seen, seconds=round(run.seconds, 3))
    )


def _save(run: _Run, path: Path) -> None:
    header = {
        **run.recipe.question,
        "epoch": str(run.epoch),
        "seconds": repr(run.seconds),
        "history": json.dumps([moment.model_dump() for moment in run.history]),
        "losses": json.dumps(run.losses),
    }
    write_state(path, run.model, run.optimiser, header, run.best)


def _network(run: _Run, split: Parts, device: str) -> SegmentationNetwork:
    best = max(run.history, key=lambda moment: moment.validation_dice)
    if not all(torch.isfinite(weight).all() for weight in run.best.values()):
        # The loss is taken before the step, so that the last step's damage shows in the weights alone.
        raise TrainingError(f"the weights of epoch {best.epoch} are not finite; a smaller learning rate may mend it")
    run.model.load_state_dict(run.best)
    summary = SegmentationSummary(
        recipe=run.recipe,
        train=split.train,
        validation=split.validation,
        test=split.test,
        best_epoch=best.epoch,
        validation_dice=best.validation_dice,
        seconds=run.seconds,
        threads=torch.get_num_threads(),
        device=device,
        torch=torch.__version__,
        history=tuple(run.history),
    )
    return SegmentationNetwork(run.model.eval().requires_grad_(False), summary)
