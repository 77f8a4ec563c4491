"""The registry ``data/registry.toml`` as checked objects."""

import tomllib
from functools import cache

from pydantic import BaseModel, ConfigDict

from paperlib import paths
from paperlib.datasets.types import DataError


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegisteredFile(Strict):
    """A file of a data set; ``sha256`` is that of its content, of a single compressed file after decompression."""

    file: str
    sha256: str


class Part(Strict):
    """One part (train, test) of a data set: its files, or the checksum of an embedded array.

    Images and labels lie in a file each, or both in an ``archive`` that may hold other parts too.
    """

    count: int
    images: RegisteredFile | None = None
    labels: RegisteredFile | None = None
    archive: RegisteredFile | None = None
    sha256: str = ""

    @property
    def files(self) -> tuple[RegisteredFile, ...]:
        return tuple(file for file in (self.images, self.labels, self.archive) if file is not None)


class Entry(Strict):
    """A data set of the registry; ``folder`` is where its files lie, by default one of its own name."""

    title: str
    description: str
    licence: str
    citation: str
    format: str
    megabytes: float
    folder: str = ""
    addresses: tuple[str, ...]
    parts: dict[str, Part]


@cache
def registry() -> dict[str, Entry]:
    """All data sets by name."""
    return {name: Entry(**entry) for name, entry in tomllib.loads(paths.REGISTRY.read_text()).items()}


def lookup(name: str, part: str) -> tuple[Entry, Part]:
    """The registry's entry and part; raises ``DataError`` with the known names."""
    if name not in registry():
        raise DataError(f"unknown data set {name!r}; known: {', '.join(sorted(registry()))}")
    entry = registry()[name]
    if part not in entry.parts:
        raise DataError(f"data set {name!r} has no part {part!r}; it has: {', '.join(entry.parts)}")
    return entry, entry.parts[part]
