"""The Sphinx extension inside a real, strict Jupyter Book build."""

import json
import os
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

CLAIMS = """
[[claim]]
id = "toy.claim.01"
place = "Section 1"
quantity = "accuracy of $A[x]$"
kind = "absolute"
paper_value = 0.9800
tolerance = 0.02
why = "spread of seeds"
data = "Digits"
notebook = "toy/first"
value = "accuracy.full"
profiles = ["paper", "quick"]

[[claim]]
id = "toy.claim.02"
place = "Section 2"
quantity = "order of the letters"
kind = "ordering"
paper_value = ["c", "a"]
notebook = "toy/first"
value = "order"
profiles = ["quick"]
reason = "our letters are `sorted`"

[[claim]]
id = "toy.claim.03"
place = "Section 3"
quantity = "score on scans"
kind = "absolute"
paper_value = 0.9
tolerance = 0.1
why = "the paper's range"
blocked = true
reason = "the scans need an application"

[[claim]]
id = "toy.claim.04"
place = "Appendix"
quantity = "variance of a coefficient"
kind = "quoted"
paper_value = "about $1/n^2$"
reason = "a formula is shown as the paper states it"
"""

VALUES = {
    "accuracy": {"full": 0.97, "rank": [0.5, 0.9, 0.97]},
    "error": 2.123e-15,
    "order": {"a": 1, "b": 2, "c": 3},
    "errata": [["Section 1", "wrong $x$", "right", "a check"]],
}

INTRODUCTION = """\
# Introduction

We measured {result}`toy/first#accuracy.full | quick | .1%` and {result}`toy/first#accuracy.rank | quick`.
Largest error: {result}`toy/first#error | quick`.
The claim: {claim}`toy.claim.01`. The other: {claim}`toy.claim.02`. The third: {claim}`toy.claim.03`.
The fourth: {claim}`toy.claim.04`.

```{claims} toy
:ids: 02 01 04
```

```{status} claims
```

```{status} notebooks
```

```{status} figures
```

```{status} versions
```

```{errata} toy/first
```
"""

CONFIG = """\
title: Toy
execute:
  execute_notebooks: "off"
repository:
  url: https://github.com/someone/toy
  branch: main
sphinx:
  local_extensions:
    toy_paths: extension
  extra_extensions:
    - paperlib.engine.sphinx
  config:
    nitpicky: true
"""

PATHS = """\
from pathlib import Path

from paperlib import paths

paths.ROOT = Path({root!r})
paths.DATA, paths.NOTEBOOKS, paths.BOOK = (paths.ROOT / name for name in ("data", "notebooks", "book"))
paths.CLAIMS, paths.TRACKED_RESULTS = paths.DATA / "claims", paths.DATA / "results"
paths.EXECUTED, paths.LOCAL_RESULTS = paths.BOOK / "run", paths.ROOT / "results"


def setup(app):
    return {{"parallel_read_safe": True}}
"""


@pytest.fixture
def book(project):
    """The tiny compendium with a book of an introduction and the first notebook's page."""
    root = project.root
    project.write_claims(CLAIMS)
    project.write_result(values=VALUES)
    page = json.loads((root / "notebooks/toy/first.ipynb").read_text())
    for cell in page["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["metadata"].pop("mystnb", None)
    for place, text in {
        "book/run/toy/first.ipynb": json.dumps(page),
        "book/introduction.md": INTRODUCTION,
        "book/_toc.yml": "format: jb-book\nroot: introduction\nchapters:\n  - file: run/toy/first\n",
        "_config.yml": CONFIG,
        "extension/toy_paths.py": PATHS.format(root=str(root)),
    }.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
    return project


def build(project) -> subprocess.CompletedProcess:
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        "book",
        "--config",
        "_config.yml",
        "--path-output",
        "book",
    ]
    flags = ["-W", "-n", "--keep-going"]
    environment = os.environ | {"NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command + flags, cwd=project.root, env=environment, capture_output=True, text=True)


def page(project, name: str = "introduction") -> BeautifulSoup:
    return BeautifulSoup((project.root / f"book/_build/html/{name}.html").read_text(), "html.parser")


def words(node) -> list[str]:
    return [cell.get_text().strip() for cell in node.find_all(["th", "td"])]


def check_notebook_page(project):
    html = page(project, "run/toy/first")
    article = html.find("article")
    titles = [title.get_text().rstrip("#") for title in article.find_all("h2")]
    assert titles == [
        "The paper beside this book",
        "What differs from the paper, and why",
        "What chance alone would give",
        "Make it again",
        "Take it along",
        "Where the numbers come from",
    ]
    assert "As much as 97.0%." in article.get_text()
    assert any("paperlib run toy/first -p rank_max=5" in block.get_text() for block in article.find_all("pre"))
    files = {link["href"].rpartition("/")[2] for link in article.find_all("a", class_="download")}
    assert files == {"first.ipynb", "first-quick.json", "first-quick.csv"}
    links = [link for link in article.find_all("a", class_="download") if link["href"].endswith(".csv")]
    written = (project.root / "book/_build/html/run/toy" / links[0]["href"]).resolve().read_text()
    assert written.startswith("name,value\naccuracy.full,0.97\naccuracy.rank.0,0.5\n")
    assert any("A processor, 2 cores" in folded.get_text() for folded in article.find_all("details"))
    buttons = [link["href"] for link in article.find_all("a") if "open in" in link.get_text()]
    assert len(buttons) == 2 and all(address.endswith("notebooks/toy/first.ipynb") for address in buttons)


def test_strict_book_shows_results_and_sees_changes(book):
    built = build(book)
    assert built.returncode == 0, built.stdout + built.stderr
    check_notebook_page(book)
    html = page(book)
    article = html.find("article")
    text = " ".join(article.get_text().split())
    assert "We measured 97.0% and 0.5, 0.9, 0.97." in text
    assert "Largest error: 2.1 × 10−15." in text and article.sup.get_text() == "−15"
    assert "The claim: 0.98 in the paper, 0.97 here (match)." in text
    assert "The other: c < a in the paper, c: 3, a: 1 here (differs)." in text
    assert "The third: 0.9 in the paper, not measured here (its data cannot be had)." in text

    formulas = [formula.get_text() for formula in article.find_all("span", class_="math")]
    assert [formula.strip("\\()") for formula in formulas].count("1/n^2") == 2

    claims, counts, notebooks, figures, versions, errata = article.find_all("table")
    rows = [cell.get_text().strip() for cell in claims.find_all("th", class_="stub")]
    assert rows[1:] == ["claim.02", "claim.01", "claim.04"]
    region = claims.find_parent("div", class_="paperlib-table")
    assert (region["role"], region["tabindex"]) == ("region", "0")
    name = "Claims 02, 01, 04 of toy"
    assert name in region["aria-label"] and name in claims.caption.get_text()
    assert claims.find("span", class_="math") is not None and claims.find("code", string="sorted") is not None
    assert "quick, Toy digits" in claims.get_text()
    assert {a["href"] for a in claims.find_all("a", class_="reference")} == {"run/toy/first.html"}
    assert {cell["class"][0] for cell in notebooks.find_all("th")} == {"head"}
    assert notebooks.find("a", class_="reference")["href"] == "run/toy/first.html"
    assert "abc1234" in notebooks.get_text() and "of this machine" in notebooks.get_text()
    judged, quick, laptop, paper = counts.tbody.find_all("tr")
    assert words(judged) == ["toy", "as judged", "1", "1", "1", "1", "4"]
    assert words(quick) == ["quick", "1", "1", "1", "1", "4"]
    # The second claim may be judged in profile quick alone.
    assert words(laptop) == ["laptop", "0", "0", "3", "1", "4"] and words(paper)[0] == "paper"
    assert len(counts.find_all("span", class_="paperlib-status-match")) == 2
    assert words(figures.tbody.tr)[:4] == ["toy", "the paper’s data, or data of the same kind", "1", "Figure 1"]
    assert words(versions.tbody.tr) == ["1", "3.11.0"]
    assert words(errata.tbody.tr)[2:] == ["right", "a check"] and errata.find("span", class_="math") is not None
    assert any("paperlib.css" in link["href"] for link in html.find_all("link", rel="stylesheet"))
    assert "paperlib-missing" in (book.root / "book/_build/html/_static/paperlib.css").read_text()

    book.write_result(values=VALUES | {"accuracy": {"full": 0.5, "rank": [0.25]}, "order": {"c": 1, "a": 2}})
    book.write_result(profile="laptop", tracked=True)
    changed = build(book)
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert "We measured 50.0% and 0.25." in page(book).find("article").get_text()
    assert "tracked" in page(book).find("article").get_text()

    (book.root / "results/quick/toy/first.json").unlink()
    for _ in range(2):
        # The second build has to fail as the first one did, though nothing changed in between.
        broken = build(book)
        assert broken.returncode != 0
        assert "no result of toy/first in profile quick; make it with: paperlib run toy/first" in broken.stderr
    notes = page(book).find_all(class_="paperlib-missing")
    assert any("paperlib run toy/first" in note.get_text() for note in notes)
