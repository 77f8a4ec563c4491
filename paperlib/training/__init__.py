"""Train a network by recipe, or find the one that was trained by the same recipe before."""

from pathlib import Path

import torch
from torch import nn

from paperlib import datasets, paths
from paperlib.datasets import ImageData
from paperlib.training.checkpoints import CheckpointError, load_checkpoint, rounded, save_checkpoint
from paperlib.training.loop import TrainingError, accuracy, initial_network, predict, train
from paperlib.training.recipe import Moment, Recipe, Summary, TrainedNetwork

__all__ = [
    "CheckpointError", "Moment", "Recipe", "Summary", "TrainedNetwork", "TrainingError", "accuracy", "find_checkpoint",
    "initial_network", "load_checkpoint", "predict", "same_predictions", "save_checkpoint", "train", "trained_network",
    "training_data", "validation_data",
]  # fmt: skip


def training_data(recipe: Recipe) -> ImageData:
    """The training images of a recipe: its data set's part ``train`` less what the recipe keeps apart or removes."""
    data = datasets.load(recipe.data, "train")
    if recipe.validation_count:
        data, _ = datasets.split(data, recipe.validation_count, recipe.subset_seed)
    if not recipe.removed_labels:
        return data
    return datasets.without_most_of(data, recipe.removed_labels, recipe.removed_fraction, recipe.subset_seed)


def validation_data(recipe: Recipe) -> ImageData:
    """The images of the data set's part ``train`` that the recipe keeps apart; raises ``ValueError`` where none are."""
    if not recipe.validation_count:
        raise ValueError(f"the recipe of {recipe.name} keeps no images for validation; set its validation_count")
    return datasets.split(datasets.load(recipe.data, "train"), recipe.validation_count, recipe.subset_seed)[1]


def find_checkpoint(recipe: Recipe) -> Path | None:
    """The checkpoint of this very recipe: the tracked one in ``data/checkpoints``, else the local one, else None."""
    for folder in (paths.TRACKED_CHECKPOINTS, paths.cache_directory() / "checkpoints"):
        path = folder / f"{recipe.name}.safetensors"
        if path.is_file() and path.with_suffix(".json").is_file():
            return path
    return None


def trained_network(recipe: Recipe, *, device: str = "cpu", progress: bool = False) -> TrainedNetwork:
    """The network of a recipe: loaded where its checkpoint is here, else trained (and resumed) and kept in the cache.

    Raises what `train`, `load_checkpoint` and `paperlib.datasets.load` raise.
    """
    path = find_checkpoint(recipe)
    if path is not None:
        return _checked(load_checkpoint(path), recipe, path)
    cache = paths.cache_directory()
    state_file = cache / "training" / f"{recipe.name}.safetensors"
    network = train(
        recipe,
        training_data(recipe),
        datasets.load(recipe.data, "test"),
        state_file=state_file,
        device=device,
        progress=progress,
    )
    saved = save_checkpoint(network, cache / "checkpoints")
    state_file.unlink(missing_ok=True)
    return load_checkpoint(saved)


def _checked(network: TrainedNetwork, recipe: Recipe, path: Path) -> TrainedNetwork:
    if network.summary.recipe != recipe:
        raise CheckpointError(
            f"checkpoint {path} is of another recipe ({network.summary.recipe}) than its name says; "
            "remove it and train again"
        )
    return network


def same_predictions(model: nn.Module, data: ImageData, dtype: torch.dtype) -> bool:
    """Whether rounding the weights to ``dtype`` leaves every predicted class of ``data`` as it is."""
    before = predict(model, data.images).argmax(1)
    weights = rounded(rounded(model.state_dict(), dtype), torch.float32)
    after = predict(lambda images: torch.func.functional_call(model, weights, (images,)), data.images).argmax(1)
    return bool((before == after).all())
