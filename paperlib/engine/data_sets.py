"""What the command line says of the data sets."""

from paperlib import datasets
from paperlib.datasets import DataError
from paperlib.engine.errors import EngineError, UsageError
from paperlib.engine.text import nearest


class DataMissingError(EngineError):
    """A data set cannot be found, downloaded or read."""

    exit_code = 3


def data_rows(check: bool) -> tuple[list[dict], list[str]]:
    """One JSON object for each registered data set, and what is wrong with those that are here.

    Only what is here already is looked at; with ``check`` it is read and its SHA-256 compared.
    """
    rows, problems = [], []
    for name, entry in datasets.registry().items():
        found, path = _place(name)
        row = {
            "name": name,
            "title": entry.title,
            "parts": {part: registered.count for part, registered in entry.parts.items()},
            "licence": entry.licence,
            "megabytes": entry.megabytes,
            "found": found,
            "path": path,
            "addresses": list(entry.addresses),
        }
        if check:
            wrong = _problems(name) if found else []
            problems += wrong
            row["checked"] = found is not None and not wrong
        rows.append(row)
    return rows, problems


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
    problems = []
    for part in datasets.registry()[name].parts:
        try:
            datasets.load(name, part, download=False)
        except DataError as error:
            problems.append(str(error))
    return problems


def fetch(name: str) -> list[dict]:
    """Load every part of a data set, downloading what is missing; one JSON object for each part.

    Raises ``UsageError`` for an unknown name and ``DataMissingError`` where a part cannot be had.
    """
    known = datasets.registry()
    if name not in known:
        raise UsageError(f"unknown data set {name!r}.{nearest(name, known)} Known: {', '.join(known)}")
    try:
        return [datasets.load(name, part).provenance() for part in known[name].parts]
    except DataError as error:
        raise DataMissingError(str(error)) from error
