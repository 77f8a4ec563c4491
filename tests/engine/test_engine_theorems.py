"""Numbered statements: their file, the code that they point to, and those of this book."""

import re

import pytest

from paperlib import paths
from paperlib.engine.errors import SourceError, UsageError
from paperlib.engine.theorems import code_of_function, code_of_test, find_theorem, load_theorems

STATEMENT = re.compile(r"^:::\{prf:(?:theorem|property|algorithm)\}[^\n]*\n:label: (thm-[a-z0-9-]+)$", re.MULTILINE)
EVIDENCE = re.compile(r"^```\{evidence\} (thm-[a-z0-9-]+)$", re.MULTILINE)

ROW = """
[[theorem]]
label = "thm-one"
title = "One"
page = "learn/one"
functions = ["paperlib.intervals.mean_interval"]
tests = ["tests/test_one.py::test_it"]
"""


def write(project, text):
    (project.root / "data").mkdir(exist_ok=True)
    paths.THEOREMS.write_text(text)


def test_rows_are_found_by_label(project):
    write(project, ROW)
    assert find_theorem("thm-one").functions == ("paperlib.intervals.mean_interval",)
    with pytest.raises(UsageError, match=r"no theorem 'thm-onne' .*thm-one"):
        find_theorem("thm-onne")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW + ROW, "has the label thm-one twice"),
        (ROW.replace("thm-one", "Theorem one"), "Theorem one: label"),
        (ROW.replace("tests = ", "test = "), "thm-one: tests: Field required"),
        (ROW.replace('["tests/test_one.py::test_it"]', "[]"), "thm-one: tests"),
        ("[[theorem", "cannot be read as TOML"),
    ],
)
def test_a_malformed_file_is_named_with_its_row(project, text, message):
    write(project, text)
    with pytest.raises(SourceError, match=f"theorems.toml.*{message}"):
        load_theorems()


def test_code_is_that_of_the_function_and_of_the_test(project):
    found = code_of_function("paperlib.intervals.mean_interval")
    assert found.text.startswith("def mean_interval(") and found.line > 1 and found.file.endswith("intervals.py")
    file = project.root / "tests/test_one.py"
    file.parent.mkdir()
    file.write_text("import pytest\n\n\n@pytest.mark.parametrize('x', [1])\ndef test_it(x):\n    assert x\n\n\nX = 1\n")
    test = code_of_test("tests/test_one.py::test_it")
    assert test.text == "@pytest.mark.parametrize('x', [1])\ndef test_it(x):\n    assert x\n" and test.line == 4


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda: code_of_function("paperlib.intervals.mean"), "paperlib.intervals.mean is no function"),
        (lambda: code_of_function("paperlib.nothing.mean"), "No module named 'paperlib.nothing'"),
        (lambda: code_of_function("mean"), "mean is no function"),
        (lambda: code_of_test("tests/test_none.py::test_it"), "tests/test_none.py cannot be read"),
    ],
)
def test_code_that_is_not_there_is_named(project, look, message):
    with pytest.raises(SourceError, match=message):
        look()


def pages() -> dict[str, str]:
    """The text of the book's own pages by name, without what a build left."""
    found = {path.relative_to(paths.BOOK).with_suffix(""): path for path in paths.BOOK.rglob("*.md")}
    return {name.as_posix(): path.read_text("utf-8") for name, path in found.items() if name.parts[0] != "_build"}


def test_every_statement_of_the_book_has_its_evidence_and_every_row_its_statement():
    stated = {label: page for page, text in pages().items() for label in STATEMENT.findall(text)}
    shown = {label: page for page, text in pages().items() for label in EVIDENCE.findall(text)}
    assert stated == shown == {theorem.label: theorem.page for theorem in load_theorems().values()} and stated


@pytest.mark.parametrize("theorem", load_theorems().values(), ids=lambda theorem: theorem.label)
def test_functions_and_tests_exist_and_the_functions_name_the_statement(theorem):
    for name in theorem.functions:
        assert theorem.label in code_of_function(name).text, f"the docstring of {name} does not name {theorem.label}"
    for name in theorem.tests:
        assert code_of_test(name).text
