"""ResNeXt, FD-MobileNet and MENet with weights trained on ImageNet, through the package pytorchcv (Section 4.1)."""

import contextlib
import io
import os
import pickle
import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from paperlib import paths
from paperlib.pretrained import WeightsError

REGISTRY = paths.DATA / "imagenet_families.toml"


class Family(BaseModel):
    """Networks of one design: their names in pytorchcv, and their documented top-1 errors in percent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    about: str
    top1_error: dict[str, float]


class FamilyRegistry(BaseModel):
    """The families by the name of their module in pytorchcv, and where the errors are from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    package: str
    version: str
    licence: str
    crop: int
    families: dict[str, Family]


@cache
def imagenet_families() -> FamilyRegistry:
    """The registered families, from ``data/imagenet_families.toml``."""
    return FamilyRegistry(**tomllib.loads(REGISTRY.read_text()))


def imagenet_network(family: str, name: str, *, trained: bool = True) -> nn.Module:
    """A network of a family, frozen and in evaluation mode: ``(batch, 3, 224, 224)``, standardised, to 1,000 logits.

    Its weights are looked for in ``$PAPERLIB_DATA/imagenet_weights`` and the local cache, else downloaded into the
    cache by pytorchcv, which checks their SHA-1; nothing but tensors is loaded. With ``trained`` off they are drawn
    from torch's global generator.

    Raises ``WeightsError`` for an unknown family or name, where pytorchcv is not installed, and where the weights
    cannot be had.
    """
    families = imagenet_families().families
    if family not in families or name not in families[family].top1_error:
        known = ", ".join(families[family].top1_error) if family in families else ", ".join(families)
        raise WeightsError(f"unknown network {family}/{name}; known: {known}")
    model = getattr(_package(f"models.{family}"), name)()
    if trained:
        path = _weights(name)
        try:
            model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise WeightsError(
                f"{path} does not hold the weights of {name} ({error}); remove it and load again"
            ) from error
    return model.eval().requires_grad_(False)


def _package(module: str) -> ModuleType:
    # One family at a time: the package's list of all models wants torchvision.
    try:
        return import_module(f"pytorchcv.{module}")
    except ImportError as error:
        raise WeightsError(
            f"the networks of this family are built by the package pytorchcv, which is not here ({error}); "
            'install it: pip install "paperlib[imagenet]", or from the repository: pip install --editable ".[imagenet]"'
        ) from error


def _weights(name: str) -> Path:
    store = _package("models.common.model_store")
    given = os.environ.get("PAPERLIB_DATA")
    folders = [Path(given) / "imagenet_weights"] if given else []
    cached = paths.cache_directory() / "imagenet_weights"
    folder = next((one for one in folders if any(one.glob(f"{name}-*.pth"))), cached)
    # The package tells about its download on the standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return Path(store.get_model_file(name, local_model_store_dir_path=str(folder)))
        except Exception as error:
            # Which errors depends on how the package fetches files: with what is installed beside it.
            raise WeightsError(
                f"no copy of the weights of {name}: {error}. Put pytorchcv's file {name}-*.pth into "
                f"$PAPERLIB_DATA/imagenet_weights/ or {cached}, or connect to the network"
            ) from error
