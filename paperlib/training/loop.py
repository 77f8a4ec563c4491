"""Seeded training that can be interrupted and resumed with the same result."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from paperlib import models
from paperlib.datasets import ImageData
from paperlib.training.errors import TrainingError
from paperlib.training.recipe import Moment, Recipe, Summary, TrainedNetwork
from paperlib.training.state_files import read_state, write_state
from paperlib.training.steps import cosine_factor, epoch_generator, flipped_and_shifted


@dataclass
class _Run:
    """A training between two epochs: all that has to survive an interruption."""

    recipe: Recipe
    model: nn.Module
    optimiser: torch.optim.Optimizer
    epoch: int = 0
    seconds: float = 0.0
    history: list[Moment] = field(default_factory=list)


def initial_network(recipe: Recipe) -> nn.Module:
    """The untrained network of a recipe, its weights drawn by the recipe's seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return models.build(recipe.architecture, **recipe.options)


def predict(model: nn.Module, images: Tensor, batch_size: int = 1000) -> Tensor:
    """Logits ``(count, classes)`` of images ``(count, channels, height, width)``, batch by batch, without gradients."""
    with torch.no_grad():
        return torch.cat([model(images[i : i + batch_size]) for i in range(0, len(images), batch_size)])


def accuracy(model: nn.Module, data: ImageData) -> float:
    """Share of images whose largest logit is at their label, in [0, 1]."""
    device = next(model.parameters()).device
    return (predict(model, data.images.to(device)).argmax(1).cpu() == data.labels).double().mean().item()


def train(
    recipe: Recipe,
    train_data: ImageData,
    test_data: ImageData,
    *,
    state_file: Path | None = None,
    device: str = "cpu",
    progress: bool = False,
    at_epoch: Callable[[int, nn.Module], None] | None = None,
) -> TrainedNetwork:
    """Train the recipe's network on ``train_data`` (already reduced as the recipe says).

    With a ``state_file`` the state is written there after each epoch, and an interrupted run goes on from it and
    ends with the weights that an uninterrupted one has: the order of the images follows from seed and epoch alone.
    The file is left to the caller to remove. ``progress`` shows a bar on standard error. ``at_epoch`` is called with
    the number of epochs done and the network, before the first and after each epoch that is trained here; the network
    goes on changing, so what is to stay has to be copied.

    Raises ``TrainingError`` where the loss is not finite, or the state file is damaged or belongs to another recipe.

    In the book: thm-row-sum.
    """
    run = _start(recipe, state_file, device)
    data = _on_device(train_data, device)
    total, done = recipe.epochs * len(data[1]), run.epoch * len(data[1])
    # Seldom enough that a log or a notebook, where each update is a line, stays readable.
    bar = tqdm(total=total, initial=done, unit="image", mininterval=2, disable=not progress)
    if at_epoch is not None and run.epoch == 0:
        at_epoch(0, run.model)
    with bar:
        for epoch in range(run.epoch, recipe.epochs):
            bar.set_description(f"{recipe.name}, epoch {epoch + 1} of {recipe.epochs}")
            _train_epoch(run, data, test_data, bar)
            if state_file is not None:
                _save(run, state_file)
            if at_epoch is not None:
                at_epoch(run.epoch, run.model)
    model = run.model.eval().requires_grad_(False)
    if not all(torch.isfinite(weight).all() for weight in model.parameters()):
        # The loss is taken before the step, so the last step's damage shows in the weights alone.
        raise TrainingError("the last step made weights that are not finite; a smaller learning rate may mend it")
    summary = Summary(
        recipe=recipe,
        train_count=len(train_data),
        test_count=len(test_data),
        # The moments of a training in bfloat16 are looks in bfloat16.
        test_accuracy=accuracy(model, test_data),
        seconds=run.seconds,
        threads=torch.get_num_threads(),
        device=device,
        torch=torch.__version__,
        history=tuple(run.history),
    )
    return TrainedNetwork(model, summary)


def _start(recipe: Recipe, state_file: Path | None, device: str) -> _Run:
    # Channels-last convolutions are a third faster on CPUs; the arithmetic is the same up to its order.
    model = initial_network(recipe).to(device=device, memory_format=torch.channels_last)
    run = _Run(recipe, model, _optimiser(recipe, model))
    if state_file is not None and state_file.is_file():
        _load(run, state_file)
    return run


def _optimiser(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    settings = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.optimiser == "adam":
        return torch.optim.Adam(model.parameters(), **settings)
    return torch.optim.SGD(model.parameters(), momentum=recipe.momentum, **settings)


def _on_device(data: ImageData, device: str) -> tuple[Tensor, Tensor]:
    return data.images.to(device).contiguous(memory_format=torch.channels_last), data.labels.to(device)


def _train_epoch(run: _Run, data: tuple[Tensor, Tensor], test_data: ImageData, bar: tqdm) -> None:
    (images, labels), recipe = data, run.recipe
    generator = epoch_generator(recipe.seed, run.epoch)
    order = torch.randperm(len(labels), generator=generator)
    start, losses = time.perf_counter(), []
    if run.epoch == 0:
        # A look at the network is no training: batch norm keeps its statistics.
        run.model.eval()
        first = [F.cross_entropy(predict(run.model, images[:1000]), labels[:1000])]
        run.history.append(_moment(run, 0, 0, first, test_data, start))
    for step, batch in enumerate(order.split(recipe.batch_size), start=1):
        run.model.train()
        _set_learning_rate(run, step - 1, len(labels))
        seen = images[batch]
        if recipe.augmentation == "flips_and_shifts":
            seen = flipped_and_shifted(seen, generator)
        run.optimiser.zero_grad(set_to_none=True)
        with _precision(run):
            outputs = _outputs(run.model, seen)
        loss = F.cross_entropy(outputs.float(), labels[batch])
        loss.backward()
        run.optimiser.step()
        losses.append(loss.detach())
        bar.update(len(batch))
        # Powers of two: what a network learns in its first steps would be invisible at the pace of epochs.
        if run.epoch == 0 and step & (step - 1) == 0:
            run.history.append(_moment(run, 0, step, losses, test_data, start))
            losses = []
    run.epoch += 1
    total = run.epoch * -(-len(labels) // recipe.batch_size)
    run.history.append(_moment(run, run.epoch, total, losses or [loss.detach()], test_data, start))
    run.seconds = run.history[-1].seconds


def _precision(run: _Run) -> torch.autocast:
    """The precision of the network's products inside; where the recipe's is float32 nothing changes."""
    device = next(run.model.parameters()).device.type
    return torch.autocast(device, torch.bfloat16, enabled=run.recipe.precision == "bfloat16")


def _set_learning_rate(run: _Run, step: int, images: int) -> None:
    recipe = run.recipe
    if recipe.schedule == "cosine":
        steps = -(-images // recipe.batch_size)
        factor = cosine_factor(run.epoch * steps + step, recipe.epochs * steps)
        run.optimiser.param_groups[0]["lr"] = recipe.learning_rate * factor


def _outputs(model: nn.Module, images: Tensor) -> Tensor:
    try:
        return model(images)
    except ValueError as error:
        # Batch norm cannot train on the one image that a last mini-batch may hold.
        raise TrainingError(
            f"the network cannot be trained on a mini-batch of {len(images)} images: {error}; another batch size or "
            "number of training images may mend it"
        ) from error


def _moment(run: _Run, epoch: int, step: int, losses: list[Tensor], test_data: ImageData, start: float) -> Moment:
    loss = torch.stack(losses).mean().item()
    if not torch.isfinite(torch.tensor(loss)):
        raise TrainingError(f"the loss is {loss} at step {step}; a smaller learning rate may mend it")
    run.model.eval()
    seconds = run.seconds + time.perf_counter() - start
    with _precision(run):
        seen = accuracy(run.model, test_data)
    return Moment(epoch=epoch, step=step, loss=loss, test_accuracy=seen, seconds=seconds)


def _save(run: _Run, path: Path) -> None:
    header = {
        **run.recipe.question,
        "epoch": str(run.epoch),
        "seconds": repr(run.seconds),
        "history": json.dumps([moment.model_dump() for moment in run.history]),
    }
    write_state(path, run.model, run.optimiser, header)


def _load(run: _Run, path: Path) -> None:
    header, _ = read_state(path, run.model, run.optimiser, run.recipe.question)
    run.epoch = int(header["epoch"])
    run.seconds = float(header["seconds"])
    run.history = [Moment(**moment) for moment in json.loads(header["history"])]
