"""Many fully connected networks trained at once, each as `paperlib.training.train` trains it alone."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from tqdm import tqdm

from paperlib.datasets import ImageData
from paperlib.training.loop import TrainingError, initial_network, predict
from paperlib.training.recipe import Recipe
from paperlib.training.steps import epoch_generator, flushed_denormals

# What the recipe of an ensemble has to leave as it is.
_PLAIN = {"architecture": "fully_connected", "schedule": "constant", "augmentation": "none", "precision": "float32"}


@dataclass(frozen=True)
class Ensemble:
    """R trained networks of one recipe, which differ by their seeds alone.

    ``weights[name]`` ``(R, *shape)``, float32, holds the parameters by their names in the network's state dict.
    ``losses`` ``(epochs, R)`` are the mean training losses of each epoch, ``test_accuracies`` ``(epochs + 1, R)``,
    float64 in [0, 1], those before the training and after each epoch; ``seconds`` is the time of the training.
    """

    recipe: Recipe
    seeds: tuple[int, ...]
    weights: dict[str, Tensor]
    losses: Tensor
    test_accuracies: Tensor
    seconds: float

    def __len__(self) -> int:
        return len(self.seeds)

    def network(self, index: int) -> nn.Module:
        """Network number ``index``, in evaluation mode with its weights frozen."""
        model = initial_network(with_seed(self.recipe, self.seeds[index]))
        model.load_state_dict({name: value[index] for name, value in self.weights.items()})
        return model.eval().requires_grad_(False)


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """The same recipe with another seed."""
    return recipe.model_copy(update={"seed": seed})


def train_ensemble(
    recipe: Recipe,
    seeds: Sequence[int],
    train_data: ImageData,
    test_data: ImageData,
    *,
    device: str = "cpu",
    progress: bool = False,
) -> Ensemble:
    """Train a ``fully_connected`` network of the recipe for each seed, with one batched product for each layer.

    The seed in the recipe plays no part. Each network starts from the weights and sees the images in the order that
    `train` gives it with that seed, so that it ends with the same weights up to rounding. ``progress`` shows a bar on
    standard error, which counts the images of all networks.

    Raises ``ValueError`` for a recipe of another architecture, schedule, augmentation or precision, and for no seeds
    or a seed twice; ``TrainingError`` where a loss or a weight is not finite.
    """
    _check(recipe, seeds)
    start = time.perf_counter()
    batch = _Batch(recipe, tuple(seeds), train_data, device)
    losses, accuracies = [], [batch.accuracies(test_data)]
    total = recipe.epochs * len(train_data) * len(seeds)
    # Seldom enough that a log or a notebook, where each update is a line, stays readable.
    with tqdm(total=total, unit="image", mininterval=2, disable=not progress) as bar, flushed_denormals():
        for epoch in range(recipe.epochs):
            bar.set_description(f"{len(seeds)} networks, epoch {epoch + 1} of {recipe.epochs}")
            losses.append(batch.train_epoch(epoch, bar))
            accuracies.append(batch.accuracies(test_data))
    weights = {name: _turned(name, value.detach()).cpu().contiguous() for name, value in batch.stacked.items()}
    if not all(torch.isfinite(value).all() for value in weights.values()):
        # The loss is taken before the step, so the last step's damage shows in the weights alone.
        raise TrainingError("the last step made weights that are not finite; a smaller learning rate may mend it")
    seconds = time.perf_counter() - start
    return Ensemble(recipe, tuple(seeds), weights, torch.stack(losses), torch.stack(accuracies), seconds)


def _check(recipe: Recipe, seeds: Sequence[int]) -> None:
    for name, expected in _PLAIN.items():
        if getattr(recipe, name) != expected:
            raise ValueError(
                f"the recipe's {name} is {getattr(recipe, name)!r}; networks are trained at once with {expected!r} "
                "only, others one by one with paperlib.training.train"
            )
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds are {list(seeds)}; expected one or more, each once")


class _Batch:
    """Networks in training: their parameters stacked, with the inputs of a layer along the middle axis."""

    def __init__(self, recipe: Recipe, seeds: tuple[int, ...], data: ImageData, device: str) -> None:
        self.recipe, self.seeds = recipe, seeds
        models = [initial_network(with_seed(recipe, seed)) for seed in seeds]
        self.model = models[0].to(device).requires_grad_(False)
        states = [model.state_dict() for model in models]
        # Weights as (networks, inputs, outputs): neither the products nor their gradients need a transposition,
        # which takes as long as the product itself.
        self.stacked = {
            name: torch.stack([_turned(name, state[name]) for state in states]).to(device).requires_grad_(True)
            for name in states[0]
        }
        self.optimiser = _optimiser(recipe, list(self.stacked.values()))
        self.images, self.labels = data.images.flatten(1).to(device), data.labels.to(device)

    def train_epoch(self, epoch: int, bar: tqdm) -> Tensor:
        """Mean loss ``(R,)`` of each network over the mini-batches of the epoch."""
        device, count = self.labels.device, len(self.labels)
        orders = torch.stack([_order(seed, epoch, count) for seed in self.seeds]).to(device)
        sums, steps = torch.zeros(len(self.seeds), device=device), 0
        for chosen in orders.split(self.recipe.batch_size, dim=1):
            self.optimiser.zero_grad(set_to_none=True)
            losses = self._losses(chosen)
            losses.sum().backward()
            self.optimiser.step()
            sums, steps = sums + losses.detach(), steps + 1
            bar.update(chosen.numel())
        means = sums.cpu() / steps
        for seed, mean in zip(self.seeds, means.tolist(), strict=True):
            if not math.isfinite(mean):
                raise TrainingError(
                    f"the mean loss of the network with seed {seed} is {mean} in epoch {epoch + 1}; a smaller learning "
                    "rate may mend it"
                )
        return means

    def _losses(self, chosen: Tensor) -> Tensor:
        """Mean cross-entropies ``(R,)`` of each network on its own mini-batch ``(R, batch)``."""
        images = self.images.index_select(0, chosen.flatten()).unflatten(0, chosen.shape)
        logits = self._logits(images)
        losses = F.cross_entropy(logits.flatten(0, 1), self.labels[chosen].flatten(), reduction="none")
        return losses.unflatten(0, chosen.shape).mean(1)

    def _logits(self, values: Tensor) -> Tensor:
        """Outputs ``(R, batch, classes)`` of each network for its own inputs ``(R, batch, inputs)``."""
        for name, module in self.model.named_children():
            if isinstance(module, nn.Linear):
                weight, bias = self.stacked[f"{name}.weight"], self.stacked.get(f"{name}.bias")
                values = torch.bmm(values, weight)
                values = values if bias is None else values + bias.unsqueeze(1)
            elif not isinstance(module, nn.Flatten):
                values = module(values)
        return values

    def accuracies(self, data: ImageData) -> Tensor:
        """Share of images that each network classifies right, ``(R,)``."""
        images, labels = data.images.to(self.labels.device), data.labels.to(self.labels.device)
        shares = []
        for index in range(len(self.seeds)):
            weights = {name: _turned(name, value.detach()[index]) for name, value in self.stacked.items()}
            model = partial(functional_call, self.model, weights)
            shares.append((predict(model, images).argmax(1) == labels).double().mean().cpu())
        return torch.stack(shares)


def _turned(name: str, value: Tensor) -> Tensor:
    """A weight, or a stack of them, with inputs and outputs exchanged, there and back; a bias as it is."""
    return value.mT if name.endswith(".weight") else value


def _order(seed: int, epoch: int, count: int) -> Tensor:
    """The order of the images in an epoch, as `train` draws it."""
    return torch.randperm(count, generator=epoch_generator(seed, epoch))


def _optimiser(recipe: Recipe, parameters: list[Tensor]) -> torch.optim.Optimizer:
    # Steps go entry by entry, so that stacking changes nothing; fused, they read the stack once.
    settings = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay, "fused": True}
    if recipe.optimiser == "adam":
        return torch.optim.Adam(parameters, **settings)
    return torch.optim.SGD(parameters, momentum=recipe.momentum, **settings)
