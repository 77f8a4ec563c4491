"""Checkpoints: weights as safetensors, the recipe and the summary of the training as JSON beside them."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from paperlib.files import write_atomically, write_text_atomically
from paperlib.training.loop import initial_network
from paperlib.training.recipe import Summary, TrainedNetwork


class CheckpointError(Exception):
    """A checkpoint is damaged or of another architecture; the message names the file and the mend."""


def save_checkpoint(network: TrainedNetwork, folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    """Write ``NAME.safetensors`` and ``NAME.json`` (NAME from the recipe) into ``folder``; returns the first's path.

    The weights are stored as ``dtype``: float16 halves the file and is worth it only where predictions stay the same,
    which `paperlib.training.same_predictions` tells.
    """
    name = network.summary.recipe.name
    weights = {key: value.detach().cpu().to(dtype).contiguous() for key, value in network.model.state_dict().items()}
    summary = network.summary.model_copy(update={"dtype": str(dtype).removeprefix("torch.")})
    path = write_atomically(folder / f"{name}.safetensors", lambda temporary: save_file(weights, temporary))
    write_text_atomically(folder / f"{name}.json", summary.model_dump_json(indent=1) + "\n")
    return path


def load_checkpoint(path: Path) -> TrainedNetwork:
    """Load ``NAME.safetensors`` with the ``NAME.json`` beside it; weights become float32, frozen, in evaluation mode.

    Raises ``CheckpointError`` for a missing or damaged file, or weights that are not those of the recipe's network.
    """
    path = Path(path)
    try:
        summary = Summary.model_validate_json(path.with_suffix(".json").read_text())
        weights = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error}); remove it and train again") from error
    try:
        model = initial_network(summary.recipe)
        model.load_state_dict({name: value.float() for name, value in weights.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"checkpoint {path} does not hold the weights of {summary.recipe.architecture} "
            f"{summary.recipe.options}: {error}"
        ) from error
    model.to(memory_format=torch.channels_last)
    return TrainedNetwork(model.eval().requires_grad_(False), summary)
