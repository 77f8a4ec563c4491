"""Where the folder of a set of volumes is, and its download where there is none."""

import os
import tarfile
import tempfile
from pathlib import Path

import pooch

from paperlib import paths
from paperlib.datasets.types import DataError
from paperlib.datasets.volumes.registry import VolumeEntry


def find_volumes(name: str) -> tuple[Path, str] | None:
    """The folder of a set that is here already, unchecked, and a phrase that says where it was found, or None."""
    given = os.environ.get("PAPERLIB_DATA")
    places = [(Path(given) / name, "PAPERLIB_DATA")] if given else []
    places.append((_cached(name), "local cache"))
    return next(((path, source) for path, source in places if path.is_dir()), None)


def folder_of(name: str, entry: VolumeEntry, folder: Path | None, download: bool) -> tuple[Path, str]:
    """The folder of a set, downloaded into the local cache if need be, and where it was found.

    What is downloaded is the archive that MONAI knows for the Decathlon's task, with the MD5 that it knows. Raises
    ``DataError``, which says what to do, where there is no folder and it cannot be downloaded.
    """
    if folder is not None:
        if not Path(folder).is_dir():
            raise DataError(f"{folder} is no folder; expected that of {name!r} ({entry.title})")
        return Path(folder), "given folder"
    found = find_volumes(name)
    if found is not None:
        return found
    if entry.format == "brats":
        raise DataError(
            f"no copy of {name!r} ({entry.title}), which is given out by registration only ({entry.home}) and is not "
            f"downloaded: name its folder by folder=, or put it at $PAPERLIB_DATA/{name}; it holds the folders "
            "BraTS20_Training_001 and so on"
        )
    if not download:
        raise DataError(_missing(name, entry, "downloads were not asked for"))
    return _downloaded(name, entry), "download"


def _cached(name: str) -> Path:
    return paths.cache_directory() / "data" / name


def _downloaded(name: str, entry: VolumeEntry) -> Path:
    # Loads most of MONAI, which takes seconds.
    from monai.apps import DecathlonDataset

    target = _cached(name)
    url, md5 = DecathlonDataset.resource[entry.task], DecathlonDataset.md5[entry.task]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Extracted beside its place and then renamed, so that a part is never taken for the whole.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}.") as beside:
            downloader = pooch.HTTPDownloader(timeout=30)
            archive = pooch.retrieve(url, f"md5:{md5}", f"{entry.task}.tar", beside, downloader=downloader)
            with tarfile.open(archive) as tar:
                tar.extractall(beside, filter="data")
            _moved(Path(beside) / entry.task, target)
    except Exception as error:  # every way in which a server, a network, an archive or a disk can fail
        raise DataError(_missing(name, entry, f"{url}: {type(error).__name__}: {error}")) from error
    return target


def _moved(extracted: Path, target: Path) -> None:
    try:
        os.replace(extracted, target)
    except OSError:
        # Another process that downloaded the same was faster.
        if not target.is_dir():
            raise


def _missing(name: str, entry: VolumeEntry, why: str) -> str:
    return (
        f"no copy of {name!r} ({entry.title}, {entry.megabytes:,.0f} MB): {why}. Put the folder {entry.task} of "
        f"{entry.home} at $PAPERLIB_DATA/{name}, name it by folder=, or connect to the network and run 'paperlib data "
        f"fetch {name}'; profile quick needs no download"
    )
