"""A reader's model from a file of `torch.export`, from a function that builds it, or, on demand, from a pickle."""

import copy
import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.export.pt2_archive._package import load_pt2

from paperlib.ratios.archive import check_archive
from paperlib.ratios.building import PICKLED, build, read_bytes
from paperlib.ratios.errors import ModelError, UnsafeModelError

_SAFER = (
    "Safer: save it once with torch.export.save(torch.export.export(model.eval(), (images,)), 'model.pt2'), or give "
    "a function that builds it (module:function) and its weights as safetensors"
)


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode, ready to be frozen.

    ``source`` is what was asked for; ``digest`` the SHA-256 of the file, or of what the function built (its layers,
    weights and source file); ``channels`` the channels of its input, where it tells.
    """

    model: nn.Module
    source: str
    digest: str
    channels: int | None


def load_model(
    source: str | Path,
    *,
    weights: str | Path | None = None,
    allow_pickle: bool = False,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
) -> LoadedModel:
    """Load a model from ``source``, move it to ``device`` and, where given, to ``dtype``.

    ``source`` is one of:

    - ``FILE.pt2``, written by `torch.export.save`. The file is examined first (`paperlib.ratios.archive`), and one
      that holds pickles, compiled code or operators outside ATen is refused without ``allow_pickle``.
    - ``module:function`` or ``path/to/file.py:function``, importable from here or from the current folder; the
      function takes nothing and returns the ``nn.Module``. This runs the code of the module. ``weights`` is its state
      dict: ``.safetensors``, or ``.pt`` and ``.pth`` read with ``weights_only=True``, which admits tensors and plain
      containers alone. Names and shapes must agree.
    - a pickled module (``.pt``, ``.pth``) only with ``allow_pickle``: unpickling runs any code that is in the file.

    Raises ``UnsafeModelError`` for a file that needs ``allow_pickle``, ``ModelError`` for everything else that stands
    in the way.
    """
    text = str(source)
    if ":" in text:
        model, digest = build(text, None if weights is None else Path(weights))
    elif weights is not None:
        raise ModelError(f"{text} holds its own weights; --weights is for a function that builds the model")
    else:
        content = read_bytes(Path(text), "model")
        suffix = Path(text).suffix.lower()
        if suffix == ".pt2":
            model = _exported(content, text, allow_pickle, torch.device(device))
        elif suffix in PICKLED:
            model = _unpickled(content, text, allow_pickle)
        else:
            raise ModelError(
                f"{text}: unknown kind of model; expected FILE.pt2 (torch.export), module:function or file.py:function "
                "with --weights, or a pickled FILE.pt with --allow-pickle"
            )
        digest = hashlib.sha256(content).hexdigest()
    return LoadedModel(model.to(device=device, dtype=dtype), text, digest, _input_channels(model))


def available_device(name: str | torch.device) -> torch.device:
    """The device of this name; raises ``ValueError`` for one that torch does not have here."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"unknown device {name!r}; expected cpu, cuda or cuda:N") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device {name}: torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices here; use cpu, or "
            "a build of torch for the machine's GPU"
        )
    return device


def moved(model: nn.Module, device: torch.device | None, dtype: torch.dtype | None) -> nn.Module:
    """The model itself where it is already there, else a copy: the caller's model stays where it was."""
    weight = next((value for value in model.parameters() if value.is_floating_point()), None)
    if weight is None or (device in (None, weight.device) and dtype in (None, weight.dtype)):
        return model
    return copy.deepcopy(model).to(device=device, dtype=dtype)


def _exported(content: bytes, source: str, allow_pickle: bool, device: torch.device) -> nn.Module:
    # torch.export.load is load_pt2 and, where that fails, the reader of an older format, which unpickles.
    load = torch.export.load if allow_pickle else _load_archive
    try:
        if not allow_pickle:
            check_archive(content)
        with warnings.catch_warnings():
            # Of torch about torch.
            warnings.simplefilter("ignore", FutureWarning)
            program = load(io.BytesIO(content))
        if device.type != "cpu":
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, device)
        # The checks of the inputs are Python code in the file, and would be one more operation to freeze.
        return program.module(check_guards=False)
    except UnsafeModelError as error:
        raise UnsafeModelError(
            f"{source}: {error}. Loading it could run code that is in the file, so it needs --allow-pickle; use that "
            "only for a file whose origin you trust"
        ) from error
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from error
    except Exception as error:
        raise ModelError(f"{source}: torch.export cannot load it ({type(error).__name__}: {error})") from error


def _load_archive(file: io.BytesIO) -> torch.export.ExportedProgram:
    return load_pt2(file).exported_programs["model"]


def _unpickled(content: bytes, source: str, allow_pickle: bool) -> nn.Module:
    if not allow_pickle:
        raise UnsafeModelError(
            f"{source}: a pickled model runs any code it contains when it is loaded. {_SAFER}. If you trust whoever "
            "made the file, --allow-pickle loads it; a state dict belongs to --weights and needs no flag"
        )
    try:
        model = torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)
    except Exception as error:
        raise ModelError(f"{source}: cannot be unpickled ({type(error).__name__}: {error})") from error
    if not isinstance(model, nn.Module):
        raise ModelError(
            f"{source} holds a {type(model).__name__}, not an nn.Module; give a state dict by --weights, with a "
            "function that builds the model"
        )
    return model.eval()


def _input_channels(model: nn.Module) -> int | None:
    if isinstance(model, torch.fx.GraphModule):
        value = next((node.meta.get("val") for node in model.graph.nodes if node.op == "placeholder"), None)
        sizes = getattr(value, "shape", ())
        return sizes[1] if len(sizes) > 1 and isinstance(sizes[1], int) else None
    return next((module.in_channels for module in model.modules() if hasattr(module, "in_channels")), None)
