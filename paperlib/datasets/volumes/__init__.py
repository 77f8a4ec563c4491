"""Labelled volumes: generated phantoms, tasks of the Medical Segmentation Decathlon, BraTS 2020 from its folder."""

from paperlib.datasets.volumes.brats import brats_folder
from paperlib.datasets.volumes.checking import verify_volumes
from paperlib.datasets.volumes.decathlon import decathlon_folder
from paperlib.datasets.volumes.generated import phantoms
from paperlib.datasets.volumes.loading import load_volumes
from paperlib.datasets.volumes.places import find_volumes
from paperlib.datasets.volumes.registry import volume_registry
from paperlib.datasets.volumes.types import Volume, VolumeError, VolumeSet

__all__ = [
    "Volume", "VolumeError", "VolumeSet", "brats_folder", "decathlon_folder", "find_volumes", "load_volumes",
    "phantoms", "verify_volumes", "volume_registry",
]  # fmt: skip
