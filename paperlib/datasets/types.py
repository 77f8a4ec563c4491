"""What a loaded data set is, and how loading can fail."""

from dataclasses import dataclass

from torch import Tensor


class DataError(Exception):
    """Data is missing, damaged or not what the registry says; the message names the file and the mend."""


@dataclass(frozen=True)
class ImageData:
    """Labelled images.

    ``images``: float32 ``(count, channels, height, width)`` in [0, 1]. ``labels``: int64 ``(count,)``, 0-based.
    ``name`` and ``part`` are the registry's, ``source`` says where the bytes were found, ``sha256`` is the checksum
    of the image file's content after decompression, and ``selection`` how images were chosen from the part.
    """

    images: Tensor
    labels: Tensor
    name: str
    part: str
    title: str
    source: str
    sha256: str
    selection: str = "all"

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def classes(self) -> int:
        """Number of classes: one more than the largest label."""
        return int(self.labels.max()) + 1

    def provenance(self) -> dict:
        """What a result records about the data that it was measured on."""
        return {
            "name": self.name,
            "part": self.part,
            "title": self.title,
            "source": self.source,
            "sha256": self.sha256,
            "selection": self.selection,
            "count": len(self),
        }
