"""The generated phantoms as a set of volumes."""

from collections.abc import Sequence
from dataclasses import dataclass

from paperlib.datasets.phantoms import phantom_volumes
from paperlib.datasets.volumes.digests import ContentDigest
from paperlib.datasets.volumes.types import Volume, VolumeSet

_PREFIX = "phantom_"


def phantoms(count: int, shape: Sequence[float], **options) -> VolumeSet:
    """``count`` phantoms of `phantom_volumes` by the names ``phantom_0000`` and so on, each drawn when it is read.

    ``shape`` are three whole numbers, ``options`` those of that function; ``normalise`` is off unless asked for,
    because scans come without it. Raises ``ValueError`` for settings out of range and ``TypeError`` for unknown ones.
    """
    if count < 0:
        raise ValueError(f"{count} volumes were asked for; expected none or more")
    if any(side != int(side) for side in shape):
        raise ValueError(f"shape is {tuple(shape)}; expected whole numbers of voxels")
    sides = tuple(int(side) for side in shape)
    options = {"normalise": False, **options}
    # None of them, which checks the settings and puts them into words.
    none = phantom_volumes(0, sides, **options)
    read = _Draw(sides, tuple(options.items()))
    names = tuple(f"{_PREFIX}{index:04d}" for index in range(count))
    title = "Generated head phantoms with lesions"
    return VolumeSet(
        "phantoms", title, "generated", names, none.images.shape[1], read, ContentDigest(read), none.selection
    )


@dataclass(frozen=True)
class _Draw:
    shape: tuple[int, ...]
    options: tuple[tuple[str, object], ...]

    def __call__(self, name: str) -> Volume:
        index = int(name.removeprefix(_PREFIX))
        data = phantom_volumes(1, self.shape, first=index, **dict(self.options))
        return Volume(name, data.images[0], data.labels[0])
