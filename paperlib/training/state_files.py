"""The state of an interrupted training on disk: weights, the optimiser's memory, and what else it has to remember."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from paperlib.files import write_atomically
from paperlib.training.errors import TrainingError
from paperlib.training.optimiser_state import optimiser_state, restore_optimiser

_WEIGHT, _KEPT, _OPTIMISER = "weight.", "kept.", "optimiser."


def write_state(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    header: dict[str, str],
    kept: dict[str, Tensor] | None = None,
) -> None:
    """Write the state, whole or not at all; ``header`` is JSON by name, ``kept`` weights of an earlier moment."""
    weights = {_WEIGHT + name: value.contiguous() for name, value in model.state_dict().items()}
    earlier = {_KEPT + name: value.contiguous() for name, value in (kept or {}).items()}
    tensors = weights | earlier | optimiser_state(model, optimiser)
    write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata=header))


def read_state(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, question: dict[str, str]
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Put model and optimiser into the state on disk; returns its header and the kept weights.

    ``question`` is the part of the header, JSON by name, that has to say the same. Raises ``TrainingError``, which
    names the file and the mend, for a damaged file and for one of another training.
    """
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        same = all(json.loads(header[name]) == json.loads(value) for name, value in question.items())
        if not same:
            raise TrainingError(f"{path} holds the state of another recipe; remove it or name another file")
        unknown = [name for name in tensors if not name.startswith((_WEIGHT, _KEPT, _OPTIMISER))]
        if unknown:
            raise ValueError(f"it holds {unknown[0]}")
        model.load_state_dict(_below(tensors, _WEIGHT))
        restore_optimiser(model, optimiser, {n: value for n, value in tensors.items() if n.startswith(_OPTIMISER)})
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise TrainingError(f"{path} is no state of this training ({error}); remove it to begin anew") from error
    return header, _below(tensors, _KEPT)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
