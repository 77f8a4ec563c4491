"""Sets of volumes by name."""

from pathlib import Path

from paperlib.datasets.types import DataError
from paperlib.datasets.volumes.brats import brats_folder
from paperlib.datasets.volumes.decathlon import decathlon_folder
from paperlib.datasets.volumes.generated import phantoms
from paperlib.datasets.volumes.places import folder_of
from paperlib.datasets.volumes.registry import volume_entry
from paperlib.datasets.volumes.types import VolumeSet

_FOLDERS = {"decathlon": decathlon_folder, "brats": brats_folder}


def load_volumes(name: str, *, folder: Path | str | None = None, download: bool = True, **options) -> VolumeSet:
    """A registered set of volumes: ``"phantoms"``, ``"hippocampus"``, ``"brain_tumour"`` or ``"brats2020"``.

    ``options`` are those of `phantoms`; the other sets have none. Their folder is the first of ``folder``,
    ``$PAPERLIB_DATA/<name>``, the local cache, and for the tasks of the Decathlon a download into the cache (where
    ``download``), whose MD5 MONAI knows. Only the list of volumes is read here; `verify_volumes` says what is checked
    when. A folder with another number of volumes can be used by `decathlon_folder` and `brats_folder`.

    Raises ``DataError`` for an unknown name or option, a set that cannot be had, or a folder that is not that set's.

    >>> volumes = load_volumes("phantoms", count=2, shape=(16, 16, 24))
    >>> volumes.names, volumes[1].image.shape
    (('phantom_0000', 'phantom_0001'), torch.Size([4, 16, 16, 24]))
    """
    entry = volume_entry(name)
    if entry.format == "generated":
        if folder is not None:
            raise DataError(f"{name} are generated and lie in no folder; leave folder={str(folder)!r} out")
        return phantoms(**options)
    if options:
        raise DataError(f"{name} has no option {next(iter(options))!r}; expected folder and download only")
    path, source = folder_of(name, entry, None if folder is None else Path(folder), download)
    volumes = _FOLDERS[entry.format](path, name, entry.title, source)
    for found, expected, what in (
        (len(volumes), entry.count, "volumes"),
        (volumes.modalities, entry.modalities, "modalities"),
    ):
        if found != expected:
            raise DataError(f"{path} holds {found} {what}; {name} ({entry.title}) has {expected}; get a whole copy")
    return volumes
