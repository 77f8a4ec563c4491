"""A model built by a function of the reader's, with weights from a file."""

import hashlib
import importlib
import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from paperlib.ratios.errors import ModelError

PICKLED = (".pt", ".pth", ".pkl", ".ckpt", ".bin")


def build(source: str, weights: Path | None) -> tuple[nn.Module, str]:
    """The module that ``module:function`` or ``file.py:function`` returns, in evaluation mode, and its SHA-256.

    The digest covers the layers as printed, the source file of the function and every weight, so that a function
    that draws other weights at each call is seen to give another model. Raises ``ModelError``.
    """
    place, _, name = source.rpartition(":")
    module = _imported(place)
    function = getattr(module, name, None)
    if not callable(function):
        raise ModelError(f"{source}: {place} has no function {name!r}")
    try:
        model = function()
    except Exception as error:
        raise ModelError(f"{source}: the function failed ({type(error).__name__}: {error})") from error
    if not isinstance(model, nn.Module):
        raise ModelError(f"{source}: the function returned a {type(model).__name__}; expected an nn.Module")
    if weights is not None:
        _load_weights(model, weights)
    return model.eval(), _digest(model, module)


def read_bytes(path: Path, what: str) -> bytes:
    """A whole file; raises ``ModelError`` with the reason where that fails."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{what} file {path} cannot be read: {error.strerror or error}") from error


def _imported(place: str) -> ModuleType:
    try:
        if place.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(place).stem, place)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
        # A console script does not see the folder it is called in, as `python -m` does.
        sys.path.insert(0, "")
        try:
            return importlib.import_module(place)
        finally:
            sys.path.remove("")
    except Exception as error:
        raise ModelError(f"{place!r} cannot be imported ({type(error).__name__}: {error})") from error


def _load_weights(model: nn.Module, path: Path) -> None:
    state = _state_dict(read_bytes(path, "weights"), path)
    own = model.state_dict()
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    problems = {
        "missing in the file": [name for name in own if name not in state],
        "unknown to the model": [name for name in state if name not in own],
        "of another shape": shapes,
    }
    if any(problems.values()):
        listed = "; ".join(f"{what}: {_some(names)}" for what, names in problems.items() if names)
        raise ModelError(f"{path} does not fit the model. Weights {listed}")
    model.load_state_dict(state)


def _state_dict(content: bytes, path: Path) -> dict[str, Tensor]:
    suffix = path.suffix.lower()
    if suffix != ".safetensors" and suffix not in PICKLED:
        raise ModelError(f"{path}: unknown kind of weights; expected .safetensors, or a state dict in .pt or .pth")
    try:
        if suffix == ".safetensors":
            state = load_safetensors(content)
        else:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(
            f"{path} is damaged, or holds more than tensors in plain containers ({type(error).__name__}); write the "
            "weights again with safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')"
        ) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{path} holds no state dict; expected tensors by name")
    return state


def _some(names: list[str], count: int = 8) -> str:
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")


def _digest(model: nn.Module, module: ModuleType) -> str:
    summary = hashlib.sha256(str(model).encode())
    if getattr(module, "__file__", None):
        summary.update(Path(module.__file__).read_bytes())
    for name, value in model.state_dict().items():
        summary.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        summary.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return summary.hexdigest()
