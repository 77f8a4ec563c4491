"""VGGs with weights trained on ImageNet, in torchvision's files."""

import hashlib
import os
import pickle
import tomllib
from functools import cache
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from paperlib import models, paths


class WeightsError(Exception):
    """Weights are missing, damaged or of another network; the message names the file and the mend."""


class _Network(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    megabytes: float
    options: dict[str, bool | int | float]


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    licence: str
    networks: dict[str, _Network]


@cache
def _registry() -> _Registry:
    return _Registry(**tomllib.loads(paths.WEIGHTS.read_text()))


def pretrained_names() -> tuple[str, ...]:
    """The networks whose ImageNet weights are registered."""
    return tuple(_registry().networks)


def pretrained(name: str, *, download: bool = True) -> nn.Module:
    """A network with its ImageNet weights, frozen and in evaluation mode: ``(batch, 3, 224, 224)`` in [0, 1] to 1,000.

    The file is looked for in ``$PAPERLIB_DATA/imagenet_weights`` and the local cache, else downloaded into the cache
    (where ``download``); its SHA-256 has to begin with the digits in its name, and nothing but tensors is loaded.

    Raises ``WeightsError`` for an unknown name, a file that cannot be had or is damaged, or weights of another form.
    """
    registry = _registry()
    if name not in registry.networks:
        raise WeightsError(f"unknown network {name!r}; known: {', '.join(registry.networks)}")
    network = registry.networks[name]
    path = _found(network.file) or _downloaded(registry.address, network, download)
    model = models.vgg(**network.options)
    try:
        model.load_state_dict(_tensors(path))
    except (RuntimeError, AttributeError, TypeError) as error:
        raise WeightsError(f"{path} does not hold the weights of {name}: {error}") from error
    return model.eval().requires_grad_(False)


def _folder() -> Path:
    return paths.cache_directory() / "imagenet_weights"


def _found(file: str) -> Path | None:
    given = os.environ.get("PAPERLIB_DATA")
    places = [Path(given) / "imagenet_weights" / file] if given else []
    return next((path for path in (*places, _folder() / file) if path.is_file()), None)


def _downloaded(address: str, network: _Network, download: bool) -> Path:
    path, why = _folder() / network.file, "downloads were not asked for"
    if download:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Checked before it gets its name, so that a partial download is never taken for a whole one.
            torch.hub.download_url_to_file(address + network.file, str(path), _digits(network.file), progress=False)
            return path
        except (OSError, RuntimeError) as error:
            why = f"{address + network.file}: {error}"
    raise WeightsError(
        f"no copy of {network.file} ({network.megabytes:.0f} MB): {why}. Put the file into "
        f"$PAPERLIB_DATA/imagenet_weights/ or {path.parent}, or connect to the network"
    )


def _digits(file: str) -> str:
    return Path(file).stem.rsplit("-", 1)[1]


def _tensors(path: Path) -> dict[str, Tensor]:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(_digits(path.name)):
        raise WeightsError(
            f"{path} has the wrong checksum: SHA-256 {found}, expected one that begins with {_digits(path.name)}; "
            "remove the file and load again"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path} cannot be read ({error}); remove it and load again") from error
