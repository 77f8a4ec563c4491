"""The ``{range}`` of a parameter: an interval of numbers or a set of choices."""

import math
import re
from dataclasses import dataclass

_NUMBER = r"[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?"
_INTERVAL = re.compile(
    rf"(?:(?P<low>{_NUMBER})\s*(?P<open_low><)?)?\s*\.\.\s*(?:(?P<open_high><)?\s*(?P<high>{_NUMBER}))?"
)


@dataclass(frozen=True)
class Interval:
    """Numbers from ``low`` to ``high``; an end may be open, or absent (None). ``str()`` gives ``0<..1``."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, number: float) -> bool:
        above = self.low is None or (number > self.low if self.open_low else number >= self.low)
        below = self.high is None or (number < self.high if self.open_high else number <= self.high)
        return above and below

    def __str__(self) -> str:
        low = "" if self.low is None else f"{self.low:g}{'<' if self.open_low else ''}"
        high = "" if self.high is None else f"{'<' if self.open_high else ''}{self.high:g}"
        return f"{low}..{high}"


@dataclass(frozen=True)
class Choices:
    """The values that are allowed, all of one type. ``str()`` gives ``a, b``."""

    values: tuple

    def __contains__(self, value) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return ", ".join(str(value) for value in self.values)


def parse_range(text: str, element: type) -> Interval | Choices:
    """The range in ``text`` (without braces) for parameters whose elements are of type ``element``.

    ``a..b`` includes both ends, ``a<..b`` and ``a..<b`` leave one out, either end may be absent; anything else is a
    list of choices separated by commas. Raises ``ValueError`` that says what is wrong.
    """
    if element is bool:
        raise ValueError("a bool needs no range")
    if element is not str and ".." in text:
        return _interval(text)
    try:
        values = tuple(element(item.strip()) for item in text.split(","))
    except ValueError:
        raise ValueError(f"the range {{{text}}} is neither a..b nor a list of {element.__name__} values") from None
    if "" in values or len(set(values)) < len(values):
        raise ValueError(f"the range {{{text}}} has an empty or a repeated choice")
    return Choices(values)


def _interval(text: str) -> Interval:
    match = _INTERVAL.fullmatch(text.strip())
    if not match or (match["low"] is None and match["high"] is None):
        raise ValueError(f"the range {{{text}}} is not of the form a..b, a<..b, a..<b, a.. or ..b")
    low, high = (None if match[end] is None else float(match[end]) for end in ("low", "high"))
    if low is not None and high is not None and not low <= high:
        raise ValueError(f"the range {{{text}}} is empty")
    if any(end is not None and not math.isfinite(end) for end in (low, high)):
        raise ValueError(f"the range {{{text}}} has an end that is no finite number; leave that end out")
    return Interval(low, high, bool(match["open_low"]), bool(match["open_high"]))
