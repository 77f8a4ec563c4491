"""Words and numbers as people read them."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from paperlib import paths


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` (with its leading space) for the known name nearest to ``name``, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


def shown_path(path: Path) -> str:
    """``path`` relative to the repository where it lies inside, else as it is."""
    path = Path(path)
    return str(path.relative_to(paths.ROOT)) if path.is_absolute() and path.is_relative_to(paths.ROOT) else str(path)


def format_value(value, spec: str = "") -> str:
    """A JSON value for a reader: floats to four significant digits, or numbers by the format ``spec``.

    Of floats below 1e-6 two digits are left. A ``spec`` holds for the elements of lists and mappings too. Raises
    ``ValueError`` where it does not fit.
    """
    if isinstance(value, list | tuple):
        return ", ".join(format_value(item, spec) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {format_value(item, spec)}" for key, item in value.items())
    if spec:
        return format(value, spec)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        # Rounding errors mostly, of which the size alone is of interest.
        if 0 < abs(value) < 1e-6:
            return f"{value:.2g}"
        # Enough digits to tell 0.99996 from 1, no more than a reader compares.
        return f"{value:.4g}" if abs(value) < 1e4 or abs(value) >= 1e6 else f"{value:,.0f}"
    return str(value)


def code_span(text: str) -> str:
    """An inline code span that holds ``text`` whatever backticks are in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    padding = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{fence}{padding}{text}{padding}{fence}"
