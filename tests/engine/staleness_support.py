"""A planted compendium with a library of its own: four notebooks that use different modules, data and packages."""

import json
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from paperlib import paths
from paperlib.engine.inputs import Inputs
from paperlib.engine.run_address import default_output, local_path
from paperlib.engine.staleness import page_states, write_inputs

MODULES = {
    "__init__": "",
    "linear/__init__": "from paperlib.linear.rank import rank\nfrom paperlib.linear.norm import norm\n",
    "linear/rank": "import numpy\n\ndef rank(): ...\n",
    "linear/norm": "import scipy\n\ndef norm(): ...\n",
    "drawing/__init__": "",
    "drawing/page": "def page(): ...\n",
    "rules/__init__": "from paperlib.rules import entries\nfrom paperlib.rules.table import look_up, register\n",
    "rules/table": "def register(function): ...\n\ndef look_up(): ...\n",
    "rules/entries": "from .table import register\n\n@register\ndef entry(): ...\n",
    "late": "def late():\n    from paperlib.linear import norm\n    return norm\n",
    "nets": 'def recipe():\n    return {"architecture": "tower"}\n',
}
NOTEBOOKS = {
    "ranks": "from paperlib.linear import rank",
    "drawn": "from paperlib.drawing.page import page\nfrom paperlib.nets import recipe",
    "tables": "from paperlib.rules.table import look_up",
    "late": "from paperlib.late import late",
}
PARAMETERS = 'data: str = "small"  # data set {small, large}\nsize: int = 3  # size {1..9}\n'
REGISTRY = '[small]\nsha256 = "aa"\n[large]\nsha256 = "bb"\n[other]\nsha256 = "cc"\n'
CONSTRAINTS = "numpy==2.0.0\nscipy==1.15.0\npillow==11.0.0\n"


class Planted:
    """The planted tree; `run` writes what a run would, `stale` says which pages are stale and why."""

    def __init__(self, root: Path):
        self.root = root
        for name, text in MODULES.items():
            self.write(f"paperlib/{name}.py", text)
        self.write("paperlib/drawing/static/page.css", "p {}")
        for name, code in NOTEBOOKS.items():
            self.write_notebook(name, code)
        self.write_catalogue()
        self.write("data/registry.toml", REGISTRY)
        self.write("constraints.txt", CONSTRAINTS)
        for name, data in {"tower-1": "small", "tower-2": "large", "arch-1": "small"}.items():
            self.write(f"data/checkpoints/{name}.json", json.dumps({"recipe": {"data": data}}))
            self.write(f"data/checkpoints/{name}.safetensors", f"weights of {name}")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def write_notebook(self, name: str, code: str, parameters: str = PARAMETERS, prose: str = "") -> None:
        cells = [
            new_markdown_cell(f"# Notebook {name}\n{prose}"),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            new_code_cell(code),
        ]
        path = self.root / f"notebooks/toy/{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=cells), path)

    def write_catalogue(self, laptop: str = "size = 5") -> None:
        cost = 'cost = { quick = "1 s", laptop = "1 s", paper = "1 s" }'
        rows = [
            f"""
            [{name}]
            title = "{name}"
            needs = {'["toy/ranks"]' if name == "late" else "[]"}
            {cost}
            [{name}.profiles.laptop]
            {laptop}
            """
            for name in NOTEBOOKS
        ]
        self.write("notebooks/toy/catalogue.toml", "".join(map(textwrap.dedent, rows)))

    def run(self, profile: str = "quick") -> None:
        """Leave behind what a run of every notebook would, save for the numbers."""
        inputs = Inputs()
        for name in NOTEBOOKS:
            result, page = local_path(f"toy/{name}", profile), default_output(f"toy/{name}", profile)
            for path in (result, page):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("{}", encoding="utf-8")
            write_inputs(result, inputs.of_profile(f"toy/{name}", profile))

    def stale(self, profile: str = "quick") -> dict[str, list[str]]:
        """The reasons by name of each page that is not fresh."""
        states = page_states(profile=profile)
        return {state.id.removeprefix("toy/"): list(state.reasons) for state in states if state.state != "fresh"}


def plant(root: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """A planted tree to which `paperlib.paths` points, after a run in profile quick."""
    places = {
        "ROOT": ".", "LIBRARY": "paperlib", "DATA": "data", "REGISTRY": "data/registry.toml",
        "VOLUMES": "data/volumes.toml", "TRACKED_RESULTS": "data/results", "TRACKED_CHECKPOINTS": "data/checkpoints",
        "NOTEBOOKS": "notebooks", "EXECUTED": "book/run", "LOCAL_RESULTS": "results",
    }  # fmt: skip
    for name, place in places.items():
        monkeypatch.setattr(paths, name, root / place)
    planted = Planted(root)
    planted.run()
    return planted
