"""Trained ensembles in the cache: a file for each, so that an interrupted sweep goes on where it was."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from paperlib import paths
from paperlib.datasets import ImageData
from paperlib.files import write_atomically
from paperlib.training.checkpoints import CheckpointError
from paperlib.training.ensembles import Ensemble, train_ensemble, with_seed
from paperlib.training.recipe import Recipe


def ensemble_file(recipe: Recipe, seeds: Sequence[int]) -> Path:
    """Where `trained_ensemble` keeps the networks of this recipe, whose own seed plays no part, and these seeds."""
    key = hashlib.sha256(json.dumps([with_seed(recipe, 0).key, list(seeds)]).encode()).hexdigest()[:12]
    return paths.cache_directory() / "ensembles" / f"{recipe.architecture}-{key}.safetensors"


def trained_ensemble(
    recipe: Recipe,
    seeds: Sequence[int],
    train_data: ImageData,
    test_data: ImageData,
    *,
    device: str = "cpu",
    progress: bool = False,
) -> Ensemble:
    """The networks of a recipe and seeds: loaded where they are in the cache, else trained and kept there.

    The data are those that the recipe names, already reduced as it says. Each ensemble is a file of its own, written
    whole or not at all: an interrupted sweep over several goes on behind the last one that it finished.

    Raises what `train_ensemble` raises, and ``CheckpointError`` for a file that is damaged or of other networks.
    """
    path, recipe = ensemble_file(recipe, seeds), with_seed(recipe, 0)
    if path.is_file():
        return _load(path, recipe, tuple(seeds))
    ensemble = train_ensemble(recipe, seeds, train_data, test_data, device=device, progress=progress)
    _save(ensemble, path)
    return ensemble


def _save(ensemble: Ensemble, path: Path) -> None:
    tensors = {f"weight.{name}": value.contiguous() for name, value in ensemble.weights.items()}
    tensors |= {"losses": ensemble.losses, "test_accuracies": ensemble.test_accuracies}
    about = {
        "recipe": ensemble.recipe.model_dump_json(),
        "seeds": json.dumps(ensemble.seeds),
        "seconds": repr(ensemble.seconds),
    }
    write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata=about))


def _load(path: Path, recipe: Recipe, seeds: tuple[int, ...]) -> Ensemble:
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        stored = Recipe.model_validate_json(about["recipe"]), tuple(json.loads(about["seeds"]))
        losses, accuracies = tensors.pop("losses"), tensors.pop("test_accuracies")
        seconds = float(about["seconds"])
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{path} holds no trained networks ({error}); remove it to train them again") from error
    if stored != (recipe, seeds):
        raise CheckpointError(f"{path} holds networks of another recipe or seeds; remove it to train again")
    weights: dict[str, Tensor] = {name.removeprefix("weight."): value for name, value in tensors.items()}
    return Ensemble(recipe, seeds, weights, losses, accuracies, seconds)
