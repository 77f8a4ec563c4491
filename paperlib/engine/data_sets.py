"""What the command line says of the data sets."""

from paperlib import datasets
from paperlib.datasets import DataError
from paperlib.datasets.volumes import find_volumes, load_volumes, verify_volumes, volume_registry
from paperlib.engine.errors import EngineError, UsageError
from paperlib.engine.text import nearest

_GENERATED = "generated"


class DataMissingError(EngineError):
    """A data set cannot be found, downloaded or read."""

    exit_code = 3


def data_rows(check: bool) -> tuple[list[dict], list[str]]:
    """One JSON object for each registered data set, and what is wrong with those that are here.

    Sets of volumes come last. Only what is here already is looked at; with ``check`` it is read and its SHA-256
    compared, where one is on record.
    """
    rows = [_row(name) for name in datasets.registry()] + [_volume_row(name) for name in volume_registry()]
    problems = []
    if check:
        for row in rows:
            if row["found"] == _GENERATED:
                continue
            wrong = _problems(row["name"]) if row["found"] else []
            problems += wrong
            row["checked"] = row["found"] is not None and not wrong
    return rows, problems


def _row(name: str) -> dict:
    entry = datasets.registry()[name]
    found, path = _place(name)
    return {
        "name": name,
        "title": entry.title,
        "parts": {part: registered.count for part, registered in entry.parts.items()},
        "licence": entry.licence,
        "megabytes": entry.megabytes,
        "found": found,
        "path": path,
        "addresses": list(entry.addresses),
    }


def _volume_row(name: str) -> dict:
    entry = volume_registry()[name]
    path, found = find_volumes(name) or (None, None)
    return {
        "name": name,
        "title": entry.title,
        "parts": {"all": entry.count} if entry.count else {},
        "licence": entry.licence,
        "megabytes": entry.megabytes,
        "found": _GENERATED if entry.format == _GENERATED else found,
        "path": path and str(path),
        "addresses": [entry.home] if entry.home else [],
    }


def _place(name: str) -> tuple[str | None, str | None]:
    """Source and folder of a data set all of whose files are here."""
    entry = datasets.registry()[name]
    files = [file for part in entry.parts.values() for file in part.files]
    if not files:
        return "embedded", None
    places = [datasets.find(name, entry, file) for file in files]
    if not all(places):
        return None, None
    return places[0][1], str(places[0][0].parent)


def _problems(name: str) -> list[str]:
    if name in volume_registry():
        return _volume_problems(name)
    problems = []
    for part in datasets.registry()[name].parts:
        try:
            datasets.load(name, part, download=False)
        except DataError as error:
            problems.append(str(error))
    return problems


def _volume_problems(name: str) -> list[str]:
    try:
        return verify_volumes(load_volumes(name, download=False))
    except DataError as error:
        return [str(error)]


def fetch(name: str) -> list[dict]:
    """Load every part of a data set, downloading what is missing, and check it; one JSON object for each part.

    Raises ``UsageError`` for an unknown name or one that is generated, and ``DataMissingError`` where a part cannot be
    had or is not what the registry says.
    """
    known = [*datasets.registry(), *volume_registry()]
    if name not in known:
        raise UsageError(f"unknown data set {name!r}.{nearest(name, known)} Known: {', '.join(known)}")
    try:
        if name in volume_registry():
            return [_fetched_volumes(name)]
        return [datasets.load(name, part).provenance() for part in datasets.registry()[name].parts]
    except DataError as error:
        raise DataMissingError(str(error)) from error


def _fetched_volumes(name: str) -> dict:
    if volume_registry()[name].format == _GENERATED:
        raise UsageError(f"{name} are generated where they are used; there is nothing to fetch")
    volumes = load_volumes(name)
    problems = verify_volumes(volumes)
    if problems:
        raise DataMissingError("\n".join(problems))
    return volumes.provenance()
