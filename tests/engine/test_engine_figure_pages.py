"""What the page of a notebook says beside its figures, and the files that it offers."""

import csv
import json

import pytest

from paperlib.engine.catalogue import find_notebook
from paperlib.engine.errors import ParameterError, ResultError, UsageError
from paperlib.engine.figure_pages import export_numbers, numbers_path, page_sections
from paperlib.engine.figures import PageFigure
from paperlib.engine.launch import launch_addresses, launch_line
from paperlib.engine.results import leaves, load_result

FIGURE = PageFigure("fig-toy-01", "toy/first", "A caption.", "What is seen.", {"svg": b"<svg/>", "png": b"pixels"})


def sections(project, claims=("toy.claim.01",), **changes) -> str:
    project.write_result(**changes)
    return page_sections(find_notebook("toy/first"), {"quick": load_result("toy/first", "quick")}, claims, [FIGURE])


def test_every_section_is_there_in_order(project):
    text = sections(project, residuals={"slepc": [1e-9, 3e-8, 2e-9, 1e-9, 1e-9], "exact": 1e-15})
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "## The paper beside this book",
        "## What differs from the paper, and why",
        "## What chance alone would give",
        "## Make it again",
        "## Take it along",
        "## Where the numbers come from",
    ]
    assert "```{claims} toy\n:ids: toy.claim.01\n```" in text
    assert "paperlib run toy/first\n\n# the same with a changed parameter\npaperlib run toy/first -p rank_max=5" in text
    # Meaning, type and range, and the value of each profile where it differs from the first.
    row = next(line for line in text.splitlines() if line.startswith("| `rank_max`"))
    assert row == "| `rank_max` | largest rank [singular triplets] | `int`, `1..10` | `3` |  | `10` |"
    assert "{download}`IPYNB <../../../notebooks/toy/first.ipynb>`" in text
    assert "{download}`SVG <figures/fig-toy-01.svg>` {download}`PNG <figures/fig-toy-01.png>`" in text
    assert "{download}`CSV <numbers/first-quick.csv>`" in text
    assert "slepc: 3e-08 at most, of 5; exact: 1e-15" in text and "A processor, 2 cores" in text


def test_a_notebook_without_claims_has_no_table_of_them(project):
    assert "{claims}" not in sections(project, claims=())


def test_a_parameter_to_try_that_is_none_is_an_error(project):
    path = project.root / "notebooks/toy/catalogue.toml"
    path.write_text(path.read_text().replace("rank_max=5", "rank=5"))
    with pytest.raises(ParameterError, match="unknown parameter 'rank'"):
        sections(project)


def test_a_result_of_an_older_notebook_is_named_with_the_command(project):
    with pytest.raises(ResultError, match=r"has no parameter rate, .*; run it again: paperlib run toy/first"):
        sections(project, parameters={"data": "toy", "rank_max": 3, "digits": [1], "centred": False})


def test_numbers_are_files_whose_names_lead_back_to_the_values(project):
    values = {"accuracy": {"full": 0.97, "rank": [0.5, 0.9]}, "word": 'a, "b"', "holds": True, "none": None}
    project.write_result(values=values)
    result = load_result("toy/first", "quick")
    export_numbers(result)
    assert json.loads(numbers_path("toy/first", "quick", "json").read_text())["values"] == values
    with numbers_path("toy/first", "quick", "csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["accuracy.full", "accuracy.rank.0", "accuracy.rank.1", *list(values)[1:]]
    assert all(
        str(result.value(row["name"]) if result.value(row["name"]) is not None else "") == row["value"] for row in rows
    )


def test_leaves_lead_back_to_the_values_and_long_lists_can_be_left_out():
    value = {"a": {"b": [1, 2, 3], "c": [[1], [2]]}, "d": True}
    assert dict(leaves(value)) == {"a.b.0": 1, "a.b.1": 2, "a.b.2": 3, "a.c.0.0": 1, "a.c.1.0": 2, "d": True}
    assert dict(leaves(value, longest=3)) == {"a.b.0": 1, "a.b.1": 2, "a.b.2": 3, "d": True}
    assert dict(leaves(value, longest=2)) == {"d": True}


def test_no_buttons_without_an_address(project):
    assert launch_line(find_notebook("toy/first"), "", "") == ""


def test_buttons_lead_to_the_notebook_itself(project):
    found = launch_addresses(find_notebook("toy/first"), "https://github.com/someone/book", "main")
    assert found == {
        "Binder": "https://mybinder.org/v2/gh/someone/book/main?urlpath=lab/tree/notebooks/toy/first.ipynb",
        "Colab": "https://colab.research.google.com/github/someone/book/blob/main/notebooks/toy/first.ipynb",
    }
    line = launch_line(find_notebook("toy/first"), "https://github.com/someone/book", "main")
    assert all(address in line for address in found.values())
    assert "!git clone --branch main --depth 1 https://github.com/someone/book\n%cd book\n" in line


def test_only_github_has_colab(project):
    found = launch_addresses(find_notebook("toy/first"), "https://gitlab.com/group/someone/book.git", "main")
    assert list(found) == ["Binder"] and "/gl/group%2Fsomeone%2Fbook/main?" in found["Binder"]


@pytest.mark.parametrize("address", ["https://example.org/a/b", "github.com/a/b", "https://github.com/a"])
def test_an_address_that_is_no_repository_is_refused(project, address):
    with pytest.raises(UsageError, match=r"repository\.url in _config\.yml"):
        launch_addresses(find_notebook("toy/first"), address, "main")
