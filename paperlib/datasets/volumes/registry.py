"""The registry ``data/volumes.toml`` as checked objects."""

import tomllib
from functools import cache
from typing import Literal

from paperlib import paths
from paperlib.datasets.registry import Strict
from paperlib.datasets.types import DataError


class VolumeEntry(Strict):
    """A set of volumes; ``count`` and ``modalities`` are what its folder has to hold (0: any, for generated ones).

    ``task`` is the Decathlon's name of it. ``sha256`` is the digest of all the volumes' voxels, ``digits`` the first
    eight hexadecimal digits of each volume's, in the order of names; both are empty where they are not known.
    """

    title: str
    description: str
    licence: str
    citation: str
    format: Literal["generated", "decathlon", "brats"]
    megabytes: float
    home: str
    count: int = 0
    modalities: int = 0
    task: str = ""
    sha256: str = ""
    digits: str = ""


@cache
def volume_registry() -> dict[str, VolumeEntry]:
    """All registered sets of volumes by name."""
    return {name: VolumeEntry(**entry) for name, entry in tomllib.loads(paths.VOLUMES.read_text()).items()}


def volume_entry(name: str) -> VolumeEntry:
    """The registry's entry; raises ``DataError`` with the known names."""
    if name not in volume_registry():
        raise DataError(f"unknown set of volumes {name!r}; known: {', '.join(volume_registry())}")
    return volume_registry()[name]
