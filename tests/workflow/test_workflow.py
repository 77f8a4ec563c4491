"""The workflow on a tiny project: the real Snakefile, engine and Jupyter Book on notebooks of a few lines."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from paperlib.paths import ROOT

# Names and needs; `crash` divides by zero until it is mended.
NOTEBOOKS = {"first": [], "crash": ["toy/first"], "other": ["toy/first"], "after": ["toy/crash"]}
CONFIG = """
title: Toy
only_build_toc_files: true
execute: {execute_notebooks: "off"}
"""
CONTENTS = "format: jb-book\nroot: index\nchapters:\n- file: run/toy/first\n"


def write_notebook(root: Path, name: str, body: str = "total = n + 1") -> None:
    cells = [
        new_markdown_cell(f"# Notebook {name}"),
        new_code_cell("n: int = 1  # a number {1..9}", metadata={"tags": ["parameters"]}),
        new_code_cell(f"from paperlib.engine import start_run\nrun = start_run('toy/{name}', globals())"),
        new_code_cell(body),
        new_code_cell("run.record(values={'n': n})"),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), root / f"notebooks/toy/{name}.ipynb")


def make_project(root: Path, names: list[str]) -> Path:
    """A project with these notebooks, the library and the workflow as they are, and a book of two pages."""
    for folder in ("notebooks/toy", "book", "data"):
        (root / folder).mkdir(parents=True)
    for name in ("paperlib", "workflow"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "constraints.txt", "data/registry.toml"):
        shutil.copy2(ROOT / name, root / name)
    rows = ""
    for name in names:
        needs = json.dumps(NOTEBOOKS[name])
        rows += f'[{name}]\ntitle = "Notebook {name}"\nneeds = {needs}\n'
        rows += f'[{name}.cost]\nquick = "1 s"\nlaptop = "1 s"\npaper = "1 s"\n'
        write_notebook(root, name)
    (root / "notebooks/toy/catalogue.toml").write_text(rows, encoding="utf-8")
    (root / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (root / "book/_toc.yml").write_text(CONTENTS, encoding="utf-8")
    (root / "book/index.md").write_text("# Toy\n", encoding="utf-8")
    return root


def snakemake(root: Path, target: str, *arguments: str) -> subprocess.CompletedProcess:
    """The call that make makes; what a person sees is the output."""
    # The project's own copy of the library stands before the installed one, so that its root is the toy's.
    variables = {"PYTHONPATH": f"{root}{os.pathsep}{root / 'workflow'}", "XDG_CACHE_HOME": str(root / ".cache")}
    options = ["--cores", "2", "--keep-going", "--rerun-incomplete", "--logger", "compendium"]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", target, *arguments, *options], cwd=root, env=os.environ | variables,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
    )  # fmt: skip


def paperlib(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    """The project's own command line."""
    variables = {"PYTHONPATH": str(root), "XDG_CACHE_HOME": str(root / ".cache")}
    program = "from paperlib.engine.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=root, env=os.environ | variables, text=True,
        capture_output=True, timeout=600,
    )  # fmt: skip


def states(root: Path) -> dict[str, str]:
    return {row["id"]: row["state"] for row in json.loads(paperlib(root, "status", "--json").stdout)}


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as source:
        source.write(text)


def started(output: str) -> set[str]:
    return set(re.findall(r"started +(?:toy/)?(?:the )?(\w+)", output))


def made(root: Path) -> set[str]:
    """Notebooks of which both the executed copy and the result are there."""
    pages = {path.stem for path in (root / "book/run/toy").glob("*.ipynb")}
    return pages & {path.stem for path in (root / "results/quick/toy").glob("*.json")}


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """A project whose notebook `crash` raises in its fourth code cell, after one run."""
    root = make_project(tmp_path_factory.mktemp("crash"), list(NOTEBOOKS))
    write_notebook(root, "crash", "total = n / 0")
    return root, snakemake(root, "book")


def test_a_crash_leaves_the_others_results_and_fails_the_whole(crashed):
    root, first = crashed
    assert first.returncode != 0
    assert made(root) == {"first", "other"}
    assert not (root / "book/_build").exists()
    assert "ZeroDivisionError" in first.stdout and "total = n / 0" in first.stdout
    ending = first.stdout[first.stdout.index("1 failed:") :]
    assert re.search(r"^  toy/crash +log: build/logs/quick/toy/crash.log$", ending, re.MULTILINE)
    assert "Not run, since they wait for what failed or the run was interrupted: 2" in ending
    assert "RuleException" not in first.stdout and "rule notebook" not in first.stdout


def test_the_display_says_which_how_many_are_left_and_how_long(crashed):
    _, first = crashed
    lines = first.stdout.splitlines()
    assert re.fullmatch(r" +\d+:\d\d  to run: 4 notebooks and the book", lines[0])
    assert any(re.fullmatch(r" +\d+:\d\d  started   toy/first \(profile quick, threads: 1\)", line) for line in lines)
    assert any(re.fullmatch(r" +\d+:\d\d  finished  toy/first in \d+:\d\d, 4 left", line) for line in lines)


def test_only_what_changed_runs_again(crashed):
    root, _ = crashed
    write_notebook(root, "crash")
    mended = snakemake(root, "book")
    assert mended.returncode == 0, mended.stdout
    assert started(mended.stdout) == {"crash", "after", "book"}
    assert (root / "book/_build/html/index.html").is_file()

    os.utime(root / "notebooks/toy/first.ipynb")
    unchanged = snakemake(root, "book")
    assert (unchanged.returncode, unchanged.stdout) == (0, "")

    (root / "book/index.md").write_text("# Toy\n\nMore prose.\n", encoding="utf-8")
    assert started(snakemake(root, "book").stdout) == {"book"}
    assert "More prose." in (root / "book/_build/html/index.html").read_text(encoding="utf-8")

    # A kept result makes those pages again that show it; the book, whose claims may read it, is built again.
    kept = root / "data/results/paper/toy/crash.json"
    kept.parent.mkdir(parents=True)
    result = json.loads((root / "results/quick/toy/crash.json").read_text(encoding="utf-8"))
    kept.write_text(json.dumps(result | {"profile": "paper"}), encoding="utf-8")
    assert started(snakemake(root, "book").stdout) == {"book"}


def test_exactly_the_stale_pages_run_again(tmp_path):
    root = make_project(tmp_path, ["first", "other"])
    write_notebook(root, "first", "from paperlib.files import append_text\ntotal = n + 1")
    assert snakemake(root, "book").returncode == 0
    assert states(root) == {"toy/first": "fresh", "toy/other": "fresh"}

    append(root / "paperlib/intervals.py", "CHANGED = True\n")
    assert states(root) == {"toy/first": "fresh", "toy/other": "fresh"}
    assert started(snakemake(root, "book").stdout) == {"book"}

    write_notebook(root, "other", "from paperlib.intervals import CHANGED\ntotal = n + 1")
    assert states(root) == {"toy/first": "fresh", "toy/other": "stale"}
    assert started(snakemake(root, "book").stdout) == {"other", "book"}

    append(root / "paperlib/intervals.py", "AGAIN = True\n")
    assert states(root) == {"toy/first": "fresh", "toy/other": "stale"}
    assert paperlib(root, "status", "--strict").returncode == 1
    assert "paperlib/intervals.py changed" in paperlib(root, "status", "toy/other").stdout
    assert started(snakemake(root, "book").stdout) == {"other", "book"}
    assert paperlib(root, "status", "--strict").returncode == 0

    # `other` needs `first`, and every page is made by the runner.
    write_notebook(root, "first", "total = n + 2")
    assert started(snakemake(root, "book").stdout) == {"first", "other", "book"}
    append(root / "paperlib/engine/runner.py", "CHANGED = True\n")
    assert started(snakemake(root, "book").stdout) == {"first", "other", "book"}
    assert snakemake(root, "book").stdout == ""

    # The workflow goes by what the pages say of themselves, and not by what it remembers of its own runs.
    append(root / "paperlib/intervals.py", "ONCE_MORE = True\n")
    shutil.rmtree(root / ".snakemake")
    assert started(snakemake(root, "book").stdout) == {"other", "book"}
    append(root / "paperlib/intervals.py", "BY_HAND = True\n")
    assert paperlib(root, "run", "toy/other").returncode == 0
    assert started(snakemake(root, "book").stdout) == {"book"}


def test_a_sweep_goes_through_the_workflow_and_keeps_what_succeeds(tmp_path):
    root = make_project(tmp_path, ["first", "other"])
    write_notebook(root, "other", "total = 1 / (n - 3)")
    refused = paperlib(root, "sweep", "toy/other", "-p", "n=2,12,x")
    assert refused.returncode == 2 and "12 is out of range" in refused.stderr and "'x' is not int" in refused.stderr
    assert not (root / "results").exists()

    done = paperlib(root, "sweep", "toy/other", "-p", "n=2,3,4")
    folder = root / "results/runs/toy/other"
    assert done.returncode == 1, done.stderr
    # What the notebook needs is made first, by the same rules.
    assert "toy/first" in done.stderr and (root / "results/quick/toy/first.json").is_file()
    assert "Error: n=3: toy/other: cell 4 of 5" in done.stderr and "ZeroDivisionError" in done.stderr
    assert {path.name for path in folder.glob("*.json")} == {
        f"n={n}.{ending}" for n in (2, 4) for ending in ("json", "inputs.json")
    }
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "Failed: n=3" in page and "n%3D2.html" in page and "n%3D4.html" in page

    times = {n: (folder / f"n={n}.json").stat().st_mtime_ns for n in (2, 4)}
    write_notebook(root, "first", "total = n + 1  # the same")
    again = paperlib(root, "sweep", "toy/first", "-p", "n=2,3")
    assert again.returncode == 0 and "2 runs: 0 here already, 2 to make" in again.stdout
    assert "2 here already, 0 to make" in paperlib(root, "sweep", "toy/first", "-p", "n=2", "-p", "n=3").stdout
    assert {n: (folder / f"n={n}.json").stat().st_mtime_ns for n in (2, 4)} == times
    listed = (root / "results/runs/index.html").read_text(encoding="utf-8")
    assert "toy/first/n%3D2.html" in listed and "toy/other/n%3D4.html" in listed

    write_notebook(root, "other", "total = 1 / (n - 9)")
    mended = paperlib(root, "sweep", "toy/other", "-p", "n=2,3")
    assert mended.returncode == 0, mended.stderr
    assert "0 here already, 2 to make" in mended.stdout
    assert "Failed" not in (folder / "index.html").read_text(encoding="utf-8")


def test_a_warning_fails_the_book_and_is_not_forgotten(tmp_path):
    root = make_project(tmp_path, ["first"])
    (root / "book/index.md").write_text("# Toy\n\n[nowhere](missing-page.md)\n", encoding="utf-8")
    first, second = snakemake(root, "book"), snakemake(root, "book")
    for build in (first, second):
        assert build.returncode != 0
        assert "missing-page" in build.stdout
        assert re.search(r"^  book +log: build/logs/book.log$", build.stdout, re.MULTILINE)
    assert started(second.stdout) == {"book"}


def test_another_profile_keeps_its_notebooks_out_of_the_book(tmp_path):
    root = make_project(tmp_path, ["first"])
    assert snakemake(root, "results", "--config", "profile=laptop").returncode == 0
    assert {path.name for path in (root / "results/laptop/toy").iterdir()} == {
        "first.ipynb",
        "first.json",
        "first.inputs.json",
    }
    assert not (root / "book/run").exists()
    refused = snakemake(root, "results", "--config", "profile=lptop")
    assert refused.returncode != 0
    assert "unknown profile 'lptop'; expected one of quick, laptop, paper" in refused.stdout
