"""Checkpoints: weights as safetensors, the recipe and the summary of the training as JSON beside them."""

from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from paperlib.files import write_atomically, write_text_atomically
from paperlib.training.loop import initial_network
from paperlib.training.recipe import Summary, TrainedNetwork

# Bytes of one file: version control and its hosts handle files of a few megabytes well and large ones badly.
LARGEST_FILE = 7_900_000


class CheckpointError(Exception):
    """A checkpoint is damaged or of another architecture; the message names the file and the mend."""


def rounded(weights: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """The weights as ``dtype``, detached; counters, such as batch norm's number of batches, stay integers."""
    return {
        name: value.detach().to(dtype if value.is_floating_point() else value.dtype) for name, value in weights.items()
    }


def save_checkpoint(
    network: TrainedNetwork, folder: Path, dtype: torch.dtype = torch.float32, largest_file: int | None = None
) -> Path:
    """Write ``NAME.safetensors`` and ``NAME.json`` (NAME from the recipe) into ``folder``; returns the first's path.

    The weights are stored as ``dtype``: float16 halves the file and is worth it only where predictions stay the same,
    which `paperlib.training.same_predictions` tells. Where ``largest_file`` bytes are given, weights beyond them go
    on in ``NAME.2.safetensors`` and so on; a single tensor is never cut.
    """
    name = network.summary.recipe.name
    weights = {key: value.cpu().contiguous() for key, value in rounded(network.model.state_dict(), dtype).items()}
    parts = _parts(weights, largest_file)
    changes = {"dtype": str(dtype).removeprefix("torch."), "files": len(parts)}
    summary = network.summary.model_copy(update=changes)
    path = folder / f"{name}.safetensors"
    for file, part in zip(_files(path, len(parts)), parts, strict=True):
        write_atomically(file, partial(save_file, part))
    # Last, because a checkpoint is there when its summary is.
    write_text_atomically(folder / f"{name}.json", summary.model_dump_json(indent=1) + "\n")
    return path


def _parts(weights: dict[str, Tensor], largest_file: int | None) -> list[dict[str, Tensor]]:
    parts: list[dict[str, Tensor]] = [{}]
    for name, value in weights.items():
        size = sum(tensor.nbytes for tensor in parts[-1].values())
        if largest_file is not None and parts[-1] and size + value.nbytes > largest_file:
            parts.append({})
        parts[-1][name] = value
    return parts


def _files(path: Path, count: int) -> list[Path]:
    return [path, *(path.with_name(f"{path.stem}.{number}.safetensors") for number in range(2, count + 1))]


def load_checkpoint(path: Path) -> TrainedNetwork:
    """Load ``NAME.safetensors`` with the ``NAME.json`` beside it; weights become float32, frozen, in evaluation mode.

    Raises ``CheckpointError`` for a missing or damaged file, or weights that are not those of the recipe's network.
    """
    path = Path(path)
    try:
        summary = Summary.model_validate_json(path.with_suffix(".json").read_text())
        weights = {name: value for file in _files(path, summary.files) for name, value in load_file(file).items()}
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error}); remove it and train again") from error
    try:
        model = initial_network(summary.recipe)
        model.load_state_dict(rounded(weights, torch.float32))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"checkpoint {path} does not hold the weights of {summary.recipe.architecture} "
            f"{summary.recipe.options}: {error}"
        ) from error
    model.to(memory_format=torch.channels_last)
    return TrainedNetwork(model.eval().requires_grad_(False), summary)
