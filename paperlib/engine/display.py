"""Results that are kept with the book, drawn in a notebook beside its own."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from paperlib.engine.errors import MissingResultError
from paperlib.engine.results import Result, load_result


@dataclass(frozen=True)
class MissingResult:
    """A red box on the page in the place of a figure whose result is not there; it says how to make it."""

    message: str

    def _repr_html_(self) -> str:
        style = "border: 2px solid #b3261e; color: #b3261e; background: #fff; padding: 0.8em; font-weight: 600"
        return f'<div class="paperlib-missing" role="alert" style="{style}">{escape(self.message)}</div>'


def show_tracked(notebook_id: str, profile: str, draw: Callable[[Result], object]) -> object:
    """What ``draw`` makes of a notebook's result in a profile, or a `MissingResult` to be displayed.

    Raises what `load_result` raises, save for a missing result.
    """
    try:
        return draw(load_result(notebook_id, profile))
    except MissingResultError as error:
        return MissingResult(str(error))
