"""The page "Add a paper", followed word for word in an empty copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from paperlib.engine.results import read_result
from paperlib.paths import BOOK, ROOT

PAGE = (BOOK / "add_a_paper.md").read_text(encoding="utf-8")
TEMPLATE = ROOT / "template"
NOTEBOOK = TEMPLATE / "notebooks/hilbert/fig01_condition_numbers.ipynb"
# What the page's reader has before the template is copied, less the other papers.
COPIED = (
    "CITATION.cff", "_config.yml", "book/_ext", "book/_static", "book/references.bib", "book/references.md",
    "data/registry.toml", "paperlib", "pyproject.toml", "template", "tests/conftest.py", "tests/notebooks",
    "tests/test_citation.py", "tests/test_claims.py",
)  # fmt: skip
CONTENTS = (
    "format: jb-book\nroot: index\nparts:\n{}  - caption: For reference\n    chapters:\n      - file: references\n"
)
BUILD = (
    "-c", "from jupyter_book.cli.main import main; main()", "build", "book", "--config", "_config.yml",
    "--path-output", "book", "-q", "-W", "-n", "--keep-going",
)  # fmt: skip


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(?!:name:)(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def named(name: str) -> str:
    return re.search(rf"^```\{{code-block\}} \w+\n:name: add-a-paper-{name}\n(.*?)^```$", PAGE, re.M | re.S)[1]


def insert(path: Path, after: str, text: str) -> None:
    """Put ``text`` behind the only place where ``after`` stands."""
    before = path.read_text(encoding="utf-8")
    assert before.count(after) == 1
    path.write_text(before.replace(after, after + text), encoding="utf-8")


def run(root: Path, *words: str) -> subprocess.CompletedProcess:
    # The project's own copy of the library stands before the installed one, so that its root is the copy's.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"PYTHONPATH": str(root), "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PAPERLIB_"))}
    return subprocess.run(words, cwd=root, env=inherited | variables, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> tuple[Path, dict[str, subprocess.CompletedProcess]]:
    """The project with the fifth paper, and what each command of the page gave."""
    root = tmp_path_factory.mktemp("project")
    for name in COPIED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, root / name)
    (root / "notebooks").mkdir()
    (root / "book/index.md").write_text("# The book\n", encoding="utf-8")
    (root / "book/_toc.yml").write_text(CONTENTS.format(named("contents")), encoding="utf-8")
    for name, text in {"book/references.bib": "\n" + named("reference"), "CITATION.cff": named("citation")}.items():
        with (root / name).open("a", encoding="utf-8") as file:
            file.write(text)
    insert(root / "tests/test_citation.py", "KEYS = {\n", named("key"))
    insert(root / "tests/notebooks/test_notebooks.py", "SHOWN = {\n", named("shown"))
    insert(root / "tests/test_claims.py", "COUNTS = {", named("counts"))
    insert(root / "tests/test_claims.py", "MATHEMATICS = {\n", named("mathematics"))
    commands = [line for block in blocks("bash") for line in block.splitlines() if not line.startswith("make ")]
    return root, {command: run(root, *command.split()) for command in commands}


def test_nothing_is_overwritten_by_the_copy():
    files = [path.relative_to(TEMPLATE) for path in TEMPLATE.rglob("*") if path.is_file()]
    assert len(files) >= 7
    assert [path for path in files if (ROOT / path).exists()] == []


def test_the_code_on_the_page_is_that_of_the_template():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    code = blocks(r"\{code-block\} python")
    assert len(code) == 3
    assert [block for block in code if not any(block.strip() in cell.source for cell in cells)] == []
    metadata = [json.loads(f"{{{block}}}")["mystnb"] for block in blocks(r"\{code-block\} json")]
    assert metadata == [cell.metadata["mystnb"] for cell in cells if "mystnb" in cell.metadata]


def test_every_command_of_the_page_succeeds(followed):
    _, done = followed
    assert len(done) >= 6
    assert [(name, run.stdout[-3000:] + run.stderr[-3000:]) for name, run in done.items() if run.returncode] == []


def test_the_notebook_records_its_result(followed):
    root, _ = followed
    result = read_result(root / "results/quick/hilbert/fig01_condition_numbers.json")
    assert result.values["sizes"][-1] == result.parameters["n_max"]
    custom = read_result(root / "results/runs/hilbert/fig01_condition_numbers/n_max=6,seed=1.json")
    assert custom.values["sizes"] == [2, 3, 4, 5, 6]


def test_there_is_a_claim_of_each_kind_and_all_but_two_match(followed):
    root, _ = followed
    rows = json.loads(run(root, "paperlib", "claims", "--json").stdout)
    assert {row["kind"] for row in rows} == {"exact", "absolute", "relative", "band", "ordering", "sign", "quoted"}
    assert {row["id"][-2:]: row["status"] for row in rows if row["status"] != "match"} == {
        "07": "not-measured",
        "08": "differs",
    }


def test_the_tests_of_the_project_apply_to_the_paper(followed):
    _, done = followed
    (tests,) = (run for name, run in done.items() if "pytest" in name)
    # Eight tests of the notebook, a case for each claim, the case of each mathematical one, the count, the library's.
    assert int(re.search(r"(\d+) passed", tests.stdout)[1]) > 8 + 8 + 6
    assert "skipped" not in tests.stdout


def test_the_page_is_built_strictly(followed):
    root, _ = followed
    built = run(root, sys.executable, *BUILD)
    assert built.returncode == 0, built.stdout + built.stderr
    page = BeautifulSoup((root / "book/_build/html/hilbert/index.html").read_text(encoding="utf-8"), "html.parser")
    article = page.find("article")
    result = read_result(root / "results/quick/hilbert/fig01_condition_numbers.json")
    assert f"Its condition number is {result.values['condition'][0]:.1f}." in " ".join(article.get_text().split())
    assert article.select(".paperlib-figure img[alt]") and len(article.select("table tbody tr")) == 8
    assert not article.select(".paperlib-missing")
