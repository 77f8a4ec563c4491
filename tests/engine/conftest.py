"""A tiny compendium of its own: two notebooks, a catalogue and claims in a temporary folder."""

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from paperlib import paths

PARAMETERS = """\
data: str = "toy"  # data set [name in the registry] {toy, full}
rank_max: int = 3  # largest rank [singular triplets] {1..10}
rate: float = 0.5  # step {0<..1}
digits: list[int] = [1, 9]  # digits that are removed {0..9}
centred: bool = False  # centre the label map
"""

CATALOGUE = """\
[first]
title = "The first notebook"
covers = ["Figure 1"]
[first.cost]
quick = "1 s"
laptop = "1 min"
paper = "1 h"
[first.about]
change = "rank_max=5"
differs = "The data are *others*."
chance = "As much as {result}`toy/first#accuracy.full | quick | .1%`."
[first.profiles.laptop]
data = "full"
[first.profiles.paper]
data = "full"
rank_max = 10

[second]
title = "The second notebook"
covers = ["Figure 2", "Table 1"]
needs = ["toy/first"]
[second.cost]
quick = "2 s"
laptop = "2 s"
paper = "2 s"
"""

RECORD = """\
run.record(
    values={"accuracy": {"full": 0.97, "rank": [0.5, 0.9, 0.97]}, "order": {"a": 1, "b": 2, "c": 3}, "count": 1000,
            "rank_max": rank_max},
    data=[{"name": "toy", "part": "test", "title": "Toy digits", "source": "made up", "sha256": "ab" * 32,
           "selection": "all", "count": 1000}],
    seeds={"training": 7},
    residuals={"largest": 1e-9},
)
"""

FIGURE = {
    "mystnb": {
        "figure": {"name": "fig-toy-01", "caption": "Accuracy by rank $r_{max}$. {data}"},
        "image": {"alt": "A line in profile {profile}"},
    }
}

# One red pixel, so that a figure costs no plotting library.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


@dataclass(frozen=True)
class Project:
    """The folder of the tiny compendium and how to change it."""

    root: Path

    def write_notebook(self, name: str, *cells: str, parameters: str = PARAMETERS, figure: str = "") -> Path:
        """A notebook with its parameters cell, a cell that points paperlib here, then ``cells`` and a figure."""
        here = f"""\
            from pathlib import Path
            from paperlib import paths
            paths.ROOT = Path({str(self.root)!r})
            paths.NOTEBOOKS, paths.LOCAL_RESULTS = paths.ROOT / "notebooks", paths.ROOT / "results"
            from paperlib.engine import start_run
            run = start_run("toy/{name}", globals())
            """
        notebook = new_notebook(
            cells=[
                new_markdown_cell(f"# Notebook {name}"),
                new_code_cell(parameters, metadata={"tags": ["parameters"]}),
                new_code_cell(textwrap.dedent(here), metadata={"tags": ["remove-cell"]}),
                *(new_code_cell(cell) for cell in cells),
            ],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        if figure:
            notebook.cells.append(new_code_cell(figure, metadata=FIGURE))
        path = self.root / "notebooks" / "toy" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def write_catalogue(self, text: str = CATALOGUE, paper: str = "toy") -> None:
        path = self.root / "notebooks" / paper / "catalogue.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def write_claims(self, text: str, paper: str = "toy") -> None:
        path = self.root / "data" / "claims" / f"{paper}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def write_result(self, name: str = "first", profile: str = "quick", tracked: bool = False, **changes) -> Path:
        """A result file as a run would leave it, with ``changes`` to its fields."""
        fields = {
            "id": f"toy/{name}",
            "profile": profile,
            "parameters": {"data": "toy", "rank_max": 3, "rate": 0.5, "digits": [1, 9], "centred": False},
            "data": [{"name": "toy", "part": "test", "title": "Toy digits", "count": 1000}],
            "seeds": {"training": 7},
            "values": {"accuracy": {"full": 0.97, "rank": [0.5, 0.9, 0.97]}, "order": {"a": 1, "b": 2, "c": 3}},
            "residuals": {},
            "versions": {"python": "3.11.0"},
            "threads": 2,
            "device": "cpu",
            "machine": "A processor, 2 cores",
            "commit": "abc1234",
            "seconds": 1.5,
            "date": "2025-01-01T00:00:00+00:00",
        }
        path = self.root / ("data/results" if tracked else "results") / profile / "toy" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(fields | changes))
        return path

    def files(self, folder: str = "") -> set[str]:
        """Every file below ``folder``, relative to the root."""
        below = (self.root / folder).rglob("*")
        return {str(path.relative_to(self.root)) for path in below if path.is_file()}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    """The tiny compendium, to which `paperlib.paths` points during the test."""
    root = tmp_path / "compendium"
    for name, place in {
        "ROOT": ".",
        "DATA": "data",
        "CLAIMS": "data/claims",
        "THEOREMS": "data/theorems.toml",
        "TRACKED_RESULTS": "data/results",
        "NOTEBOOKS": "notebooks",
        "BOOK": "book",
        "EXECUTED": "book/run",
        "LOCAL_RESULTS": "results",
    }.items():
        monkeypatch.setattr(paths, name, root / place)
    monkeypatch.delenv("PAPERLIB_RESULT", raising=False)
    monkeypatch.delenv("PAPERLIB_PROFILE", raising=False)
    made = Project(root)
    drawing = f"from base64 import b64decode\nfrom IPython.display import Image\nImage(b64decode({PIXEL!r}))"
    made.write_notebook("first", RECORD, figure=drawing)
    made.write_notebook("second", "run.record(values={})", parameters="")
    made.write_catalogue()
    return made
