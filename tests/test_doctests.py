"""The examples in the docstrings are run, and say what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import paperlib

MODULES = [
    info.name
    for info in pkgutil.walk_packages(paperlib.__path__, "paperlib.")
    if ">>>" in Path(importlib.util.find_spec(info.name).origin).read_text(encoding="utf-8")
]


def test_there_are_examples():
    assert {"paperlib.datasets", "paperlib.operators.base", "paperlib.projection", "paperlib.svd"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
