"""Find the files of a data set: ``$PAPERLIB_DATA``, a system package, the local cache, the public addresses."""

import gzip
import hashlib
import os
import zlib
from pathlib import Path

import pooch

from paperlib import paths
from paperlib.datasets.registry import Entry, RegisteredFile
from paperlib.datasets.types import DataError
from paperlib.files import write_atomically

# Where Linux distributions put packaged data sets; Debian's dataset-fashion-mnist is one.
SYSTEM = Path("/usr/share/datasets")


def read_file(name: str, entry: Entry, file: RegisteredFile, *, download: bool = True) -> tuple[bytes, str]:
    """Content of a registered file after decompression, and a phrase that says where it was found.

    The first place that has the file is used; if its content is damaged that is an error, never a reason to go on
    silently with the next place. Raises ``DataError``.
    """
    for path, source in _places(name, entry, file):
        if path.is_file():
            return _verified(path, file), source
    if not download:
        raise DataError(_missing(name, entry, file, "downloads were not asked for"))
    return _download(name, entry, file)


def find(name: str, entry: Entry, file: RegisteredFile) -> tuple[Path, str] | None:
    """Path and source of a file that is here already, unchecked, or None."""
    return next(((path, source) for path, source in _places(name, entry, file) if path.is_file()), None)


def _places(name: str, entry: Entry, file: RegisteredFile) -> list[tuple[Path, str]]:
    given = os.environ.get("PAPERLIB_DATA")
    folder = entry.folder or name
    places = [(Path(given) / folder / file.file, "PAPERLIB_DATA")] if given else []
    places.append((SYSTEM / folder.replace("_", "-") / file.file, "system package"))
    places.append((_cached(name, file), "local cache"))
    return places


def _cached(name: str, file: RegisteredFile) -> Path:
    return paths.cache_directory() / "data" / name / file.file


def _verified(path: Path, file: RegisteredFile) -> bytes:
    mend = f"remove {path} and load again, or replace it by a whole copy"
    try:
        raw = path.read_bytes()
        # Mirrors compress a file differently, so what counts is what is in it; an archive is the same everywhere.
        content = gzip.decompress(raw) if path.suffix == ".gz" and ".tar" not in path.suffixes else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged or truncated ({error}); {mend}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DataError(f"{path} has the wrong checksum: SHA-256 {found}, expected {file.sha256}; {mend}")
    return content


def _download(name: str, entry: Entry, file: RegisteredFile) -> tuple[bytes, str]:
    failures = []
    for address in entry.addresses:
        url = address + file.file
        try:
            write_atomically(_cached(name, file), lambda temporary, url=url: _fetch(url, temporary, file))
        except DataError as error:
            failures.append(f"{url} sent something else than the registry says: {error}")
        except Exception as error:  # every way in which a server or a network can fail
            failures.append(f"{url}: {type(error).__name__}: {error}")
        else:
            return _verified(_cached(name, file), file), url
    raise DataError(_missing(name, entry, file, "; ".join(failures) or "the registry has no address for it"))


def _fetch(url: str, target: Path, file: RegisteredFile) -> None:
    # The registry's checksum is of the decompressed content, which is the same for every mirror, so pooch is given
    # none and the content is checked before the file is renamed into the cache.
    downloader = pooch.HTTPDownloader(timeout=30) if url.startswith("http") else None
    folder = target.parent / f"{target.name}.download"
    try:
        got = Path(pooch.retrieve(url, known_hash=None, fname=file.file, path=folder, downloader=downloader))
        _verified(got, file)
        os.replace(got, target)
    finally:
        for left in folder.glob("*"):
            left.unlink()
        if folder.is_dir():
            folder.rmdir()


def _missing(name: str, entry: Entry, file: RegisteredFile, why: str) -> str:
    return (
        f"no copy of {file.file} of data set {name!r} ({entry.title}): {why}. Put the file into "
        f"$PAPERLIB_DATA/{entry.folder or name}/ or connect to the network and run 'paperlib data fetch {name}'; "
        "profile quick needs no download"
    )
