"""The code on the teaching pages runs, block after block, and prints what the pages say."""

import contextlib
import io
import re

import pytest
import torch

from paperlib.paths import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")
# Errors of rounding, which another processor may round to another number.
ROUNDING = 1e-9
PAGES = sorted(
    str(path.relative_to(ROOT / "book"))
    for path in (ROOT / "book").rglob("*.md")
    if not {"_build", "run"} & set(path.relative_to(ROOT / "book").parts) and BLOCK.search(path.read_text("utf-8"))
)


def unit(text: str) -> float:
    """What one step of a printed number's last digit is worth."""
    mantissa, _, exponent = text.replace(",", "").partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def agree(one: str, other: str) -> bool:
    """Whether two printed numbers are the same up to one step of the last digit of either."""
    a, b = (float(text.replace(",", "")) for text in (one, other))
    if "." not in one + other and "e" not in one + other:
        return a == b
    return max(abs(a), abs(b)) < ROUNDING or abs(a - b) <= 1.01 * max(unit(one), unit(other))


def assert_same(printed: str, page: str) -> None:
    # Spaces depend on the widths of the numbers that tensors print.
    words = [re.sub(r"\s+", " ", NUMBER.sub("#", text)).strip() for text in (printed, page)]
    assert words[0] == words[1]
    pairs = list(zip(NUMBER.findall(printed), NUMBER.findall(page), strict=True))
    assert [pair for pair in pairs if not agree(*pair)] == []


def test_the_comparison_tells_numbers_apart():
    assert agree("1.25", "1.26") and agree("3e-16", "2e-15") and agree("1,000", "1000")
    assert not agree("1.25", "1.27") and not agree("12", "13") and not agree("3e-16", "2e-5")
    with pytest.raises(AssertionError):
        assert_same("two 2", "three 2")


@pytest.mark.parametrize("page", PAGES)
def test_code_of_a_page_runs_and_prints_what_the_page_says(page):
    text = (ROOT / "book" / page).read_text(encoding="utf-8")
    scope: dict = {"__name__": "page"}
    with torch.random.fork_rng(devices=[]):
        for block in BLOCK.finditer(text):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block[1], page, "exec"), scope)
            if block[2] is not None:
                assert_same(printed.getvalue(), block[2])
