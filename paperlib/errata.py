"""Sentences of a paper that need a correction or a reading, each with the number that decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Erratum:
    """Where the paper says what, what is right, and the check in words, made from the numbers of its ``name``.

    Where reading alone decides there are no numbers, and ``shown`` is given None.
    """

    name: str
    place: str
    paper: str
    right: str
    shown: Callable[[Any], str]


def errata_rows(errata: Sequence[Erratum], numbers: Mapping[str, Any]) -> list[list[str]]:
    """Rows of a table: place, the paper's words, what is right, the check; ``numbers`` has those of each name."""
    return [[one.place, one.paper, one.right, one.shown(numbers.get(one.name))] for one in errata]
