"""What a piece of Python uses, told from its text."""

import pytest

from paperlib.engine.lock import UNPINNED, Lock
from paperlib.engine.module_graph import ModuleGraph, parse_source

TREE = {
    "__init__": 'LAZY = {"analyze": "lib.front"}\n\ndef __getattr__(name): ...\n',
    "front": "import torch\n",
    "types": "import pandas\n",
    "plain": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lib import types\n",
    "child": 'PROGRAM = "from lib.worker import main; main()"\n',
    "worker": "def main(): ...\n",
    "own/__init__": '"""Own: lib.worker is no part of it."""\nfrom lib.own.parts import part\n\ndef own(): ...\n',
    "own/parts": "from . import more\nfrom ..plain import TYPE_CHECKING\n",
    "own/more": "import numpy as np\n",
    "cycle/__init__": "",
    "cycle/a": "from lib.cycle import b\n",
    "cycle/b": "from lib.cycle import a\n",
}


@pytest.fixture
def graph(tmp_path):
    for name, text in TREE.items():
        path = tmp_path / "lib" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return ModuleGraph(tmp_path / "lib")


@pytest.mark.parametrize(
    ("code", "modules", "packages"),
    [
        ("import json, torch.nn", set(), {"json", "torch"}),
        ("from lib.plain import x", {"plain"}, {"typing"}),
        ("from lib.child import PROGRAM", {"child", "worker"}, set()),
        # A package that defines the name itself counts with all that it imports.
        ("from lib.own import own", {"own", "own.parts", "own.more", "plain"}, {"numpy", "typing"}),
        ("from lib.own import more", {"own", "own.more"}, {"numpy"}),
        ("import lib.own.more as m", {"own", "own.more"}, {"numpy"}),
        ("from lib import own", {"own", "own.parts", "own.more", "plain"}, {"numpy", "typing"}),
        ("from lib.cycle.a import *", {"cycle", "cycle.a", "cycle.b"}, set()),
        # What a package imports on first use counts where the name is asked for.
        ("from lib import analyze", {"front"}, {"torch"}),
        ("import lib", {"front"}, {"torch"}),
    ],
)
def test_modules_and_packages_of_a_piece_of_code(graph, code, modules, packages):
    found = graph.closure([parse_source(code)])
    assert found.modules == {f"lib.{name}" for name in modules} | ({"lib"} if modules else set())
    assert found.packages == packages


def test_modules_can_be_left_out(graph):
    found = graph.closure([], ["lib.child"], without=["lib.worker"])
    assert found.modules == {"lib", "lib.child"}


def test_pins_are_those_of_this_python():
    lock = Lock(
        [
            "# a comment",
            "numpy==1.0 ; python_version < '3'",
            "numpy==2.4.6 ; python_version >= '3'",
            "Not_Here==3",
            "x>=1",
        ]
    )
    assert (lock.version("numpy"), lock.version("not-here"), lock.version("x")) == ("2.4.6", "3", UNPINNED)
    assert lock.packages(["json", "not_here"]) == {"not-here"}
    # It cannot be told what provides this name.
    assert lock.packages(["json", "nobody_provides_this"]) == {"numpy", "not-here"}


def test_a_pin_of_the_project_holds_for_what_the_lock_leaves_out(tmp_path):
    (tmp_path / "constraints.txt").write_text("numpy==2.0\n")
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["torch==2.13.0", "numpy==1.0", "scipy"]\n')
    lock = Lock.read(tmp_path)
    assert (lock.version("torch"), lock.version("numpy"), lock.version("scipy")) == ("2.13.0", "2.0", UNPINNED)
