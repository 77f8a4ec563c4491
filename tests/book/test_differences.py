"""Each difference from an authors' code names the tests that hold our side, and they exist."""

import ast
import re

import pytest

from paperlib import paths

PAGE = (paths.BOOK / "differences.md").read_text(encoding="utf-8")
# A paper has a heading of two signs, each of its differences one of three.
DIFFERENCES = {part.partition("\n")[0]: part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_the_page_has_differences():
    assert len(DIFFERENCES) == len(re.findall(r"^### ", PAGE, flags=re.MULTILINE)) > 0


@pytest.mark.parametrize("heading", DIFFERENCES)
def test_each_difference_says_all_four_things_and_names_a_test(heading):
    text = DIFFERENCES[heading].partition("\n## ")[0]
    terms = re.findall(r"^(\w+)\n: ", text, flags=re.MULTILINE)
    assert terms == ["Theirs", "Ours", "Effect", "Test"]
    assert re.search(r"^Test\n: `tests/[\w/]+\.py::test_\w+`", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_named_test_exists(file, name):
    tree = ast.parse((paths.ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_on_the_page_is_checked():
    """A name in another form, such as one without backticks, would not be looked up."""
    assert len(NAMED) == PAGE.count("::test_") == PAGE.count("tests/")
