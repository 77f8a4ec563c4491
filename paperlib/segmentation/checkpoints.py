"""Trained segmentation networks on disk: found by their recipe, or trained and kept."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from paperlib import paths
from paperlib.datasets.volumes import VolumeSet
from paperlib.files import write_atomically, write_text_atomically
from paperlib.segmentation.recipe import SegmentationNetwork, SegmentationRecipe, SegmentationSummary
from paperlib.segmentation.training import train_segmentation
from paperlib.training.checkpoints import CheckpointError, rounded


def segmentation_network(
    recipe: SegmentationRecipe, volumes: VolumeSet, *, device: str = "cpu", progress: bool = False
) -> SegmentationNetwork:
    """The network of a recipe: loaded where its checkpoint is here, else trained (and resumed) and kept in the cache.

    Raises what `train_segmentation` and `load_segmentation` raise.
    """
    path = find_segmentation(recipe)
    if path is not None:
        return load_segmentation(path, recipe)
    cache = paths.cache_directory()
    state_file = cache / "training" / f"{recipe.name}.safetensors"
    network = train_segmentation(recipe, volumes, state_file=state_file, device=device, progress=progress)
    save_segmentation(network, cache / "checkpoints")
    state_file.unlink(missing_ok=True)
    return network


def find_segmentation(recipe: SegmentationRecipe) -> Path | None:
    """The checkpoint of this very recipe: the tracked one in ``data/checkpoints``, else the local one, else None."""
    for folder in (paths.TRACKED_CHECKPOINTS, paths.cache_directory() / "checkpoints"):
        path = folder / f"{recipe.name}.safetensors"
        if path.is_file() and path.with_suffix(".json").is_file():
            return path
    return None


def save_segmentation(network: SegmentationNetwork, folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    """Write ``NAME.safetensors`` and ``NAME.json`` into ``folder``, the weights as ``dtype``; returns the first."""
    path = folder / f"{network.summary.recipe.name}.safetensors"
    weights = {name: value.cpu().contiguous() for name, value in rounded(network.model.state_dict(), dtype).items()}
    summary = network.summary.model_copy(update={"dtype": str(dtype).removeprefix("torch.")})
    write_atomically(path, lambda temporary: save_file(weights, temporary))
    # Last, because a checkpoint is there when its summary is.
    write_text_atomically(path.with_suffix(".json"), summary.model_dump_json(indent=1) + "\n")
    return path


def load_segmentation(path: Path, recipe: SegmentationRecipe | None = None) -> SegmentationNetwork:
    """Load a network that `save_segmentation` wrote; its weights become float32.

    Raises ``CheckpointError``, which names the file, where it is missing or damaged, holds the weights of another
    architecture, or is not that of ``recipe``.
    """
    path = Path(path)
    try:
        summary = SegmentationSummary.model_validate_json(path.with_suffix(".json").read_text(encoding="utf-8"))
        weights = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error}); remove it and train again") from error
    if recipe is not None and summary.recipe != recipe:
        raise CheckpointError(f"checkpoint {path} is of another recipe; remove it and train again")
    model = summary.recipe.network()
    try:
        model.load_state_dict(rounded(weights, torch.float32))
    except RuntimeError as error:
        raise CheckpointError(
            f"checkpoint {path} does not hold the weights of a U-Net of depth {summary.recipe.depth} with "
            f"{summary.recipe.filters} filters ({error}); remove it and train again"
        ) from error
    model.to(memory_format=torch.channels_last_3d)
    return SegmentationNetwork(model.eval().requires_grad_(False), summary)
