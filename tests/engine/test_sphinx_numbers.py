"""Numbers as books print them."""

import pytest
from docutils.core import publish_doctree

from paperlib.engine.sphinx_numbers import PrintedNumbers, set_numbers


def as_text(text: str) -> str:
    return "".join(
        f"^{node.astext()}" if node.tagname == "superscript" else node.astext() for node in set_numbers(text)
    )


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("8e-17", "8 × 10^−17"),
        ("3.21e+06, 1.6e+12.", "3.21 × 10^6, 1.6 × 10^12."),
        ("±1e-08 (rounding)", "±10^−8 (rounding)"),
        ("1.0e-07", "1.0 × 10^−7"),
        ("-4e-100", "−4 × 10^−100"),
        ("-2 elsewhere, [-.5, 4], x=-1", "−2 elsewhere, [−.5, 4], x=−1"),
        ("0e+00 or 0.0e+00", "0 or 0"),
    ],
)
def test_numbers_are_set(written, printed):
    assert as_text(written).replace("\u202f", " ") == printed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "commit 12e5",
        "file2e-15",
        "a 2e-15b",
        "1.2e-3.4",
        "e-15",
        "3e-x",
        "2026-11-21",
        "1-3",
        "figures/-1",
        "--5",
        "W-1",
    ],
)
def test_other_words_stay(text):
    assert as_text(text) == text


def test_the_words_around_a_number_stay():
    found = [node.astext() for node in set_numbers("errors of 2e-15, at most")]
    assert found == ["errors of ", "2\u202f×\u202f10", "−15", ", at most"]


def test_code_and_formulas_stay_as_they_are():
    source = "Errors of *2e-15*, ``tol=-1e-10``, :math:`3e-4`::\n\n    print(4e-5)\n\n.. raw:: html\n\n   <b>5e-6</b>\n"
    document = publish_doctree(source)
    PrintedNumbers(document).run()
    assert [node.astext() for node in document.findall() if node.tagname == "superscript"] == ["−15"]
    assert all(text in document.astext() for text in ("tol=-1e-10", "3e-4", "print(4e-5)", "<b>5e-6</b>"))
