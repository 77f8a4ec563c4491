"""Labelled volumes of any size, read one at a time, because a set of scans seldom fits into memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from paperlib.datasets.types import DataError


class VolumeError(DataError):
    """One volume cannot be used; the message names its file and the mend. Others of its set are not concerned."""


@dataclass(frozen=True)
class Volume:
    """A scan with a mask of what is to be found in it.

    ``image``: float32 ``(modalities, *spatial)``. ``label``: uint8 ``(*spatial)``, 1 in the foreground, else 0.
    """

    name: str
    image: Tensor
    label: Tensor


@dataclass(frozen=True)
class VolumeSet:
    """Volumes by name, in a fixed order; ``volumes[i]`` reads one of them.

    ``read`` takes a name; it can be pickled, so that several processes can share a set. ``digest`` gives one SHA-256
    for the content of all the volumes in ``names``. ``source`` says where they were found, ``selection`` how they were
    chosen and changed.
    """

    name: str
    title: str
    source: str
    names: tuple[str, ...]
    modalities: int
    read: Callable[[str], Volume]
    digest: Callable[[tuple[str, ...]], str]
    selection: str = "all"

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Volume:
        """Read volume ``index``; raises ``VolumeError`` where that fails."""
        return self.read(self.names[index])

    def select(self, names: Sequence[str], selection: str) -> "VolumeSet":
        """The volumes with these names, in this order; raises ``KeyError`` for a name that is not there."""
        unknown = sorted(set(names) - set(self.names))
        if unknown:
            raise KeyError(f"{self.name} has no volume {unknown[0]!r}; it has {len(self)}, from {self.names[0]!r} on")
        return replace(self, names=tuple(names), selection=selection)

    def mapped(self, change: Callable[[Volume], Volume], description: str) -> "VolumeSet":
        """The same volumes, each changed when it is read; ``change`` can be pickled too."""
        return replace(self, read=_Changed(self.read, change), selection=f"{self.selection}; {description}")

    def provenance(self) -> dict:
        """What a result records about the data that it was measured on."""
        return {
            "name": self.name,
            "part": "all",
            "title": self.title,
            "source": self.source,
            "sha256": self.digest(self.names),
            "selection": self.selection,
            "count": len(self),
        }


@dataclass(frozen=True)
class _Changed:
    read: Callable[[str], Volume]
    change: Callable[[Volume], Volume]

    def __call__(self, name: str) -> Volume:
        return self.change(self.read(name))
