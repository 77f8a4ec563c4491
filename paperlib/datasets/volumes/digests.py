"""What the voxels of volumes are, in one number: the same for every way in which their files are compressed."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paperlib.datasets.volumes.types import Volume, VolumeError


def volume_digest(volume: Volume) -> str:
    """SHA-256 of a volume: its image's shape in decimal, the image as little-endian float32, the mask as bytes."""
    total = hashlib.sha256(" ".join(map(str, volume.image.shape)).encode())
    total.update(volume.image.numpy().astype("<f4").tobytes())
    total.update(volume.label.numpy().tobytes())
    return total.hexdigest()


@dataclass(frozen=True)
class ContentDigest:
    """One SHA-256 of several volumes that ``read`` gives: of the lines ``NAME SHA-256``, in the order of names.

    A volume that cannot be read stands there as ``unreadable``, since the others may still be used.
    """

    read: Callable[[str], Volume]

    def __call__(self, names: Sequence[str]) -> str:
        return combined(names, [self._one(name) for name in names])

    def _one(self, name: str) -> str:
        try:
            return volume_digest(self.read(name))
        except VolumeError:
            return "unreadable"


def combined(names: Sequence[str], digests: Sequence[str]) -> str:
    """The digest of several volumes from their names and their own digests."""
    lines = "".join(f"{name} {digest}\n" for name, digest in zip(names, digests, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()
