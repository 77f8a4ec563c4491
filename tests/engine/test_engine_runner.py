"""Running notebooks: everything at the end, or nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from paperlib.engine import ParameterError, RunError, UsageError, load_result, run_notebook

from .conftest import RECORD


def source(path: Path, number: int) -> str:
    return nbformat.read(path, as_version=4).cells[number].source


def test_a_run_writes_the_page_and_its_result(project, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    seen = []
    done = run_notebook("toy/first", progress=lambda number, count: seen.append((number, count)))
    assert (done.id, done.profile, done.cells) == ("toy/first", "quick", 5)
    assert done.notebook == project.root / "book/run/toy/first.ipynb"
    assert done.result == project.root / "results/quick/toy/first.json"
    assert seen == [(number, 5) for number in range(6)]
    assert load_result("toy/first", "quick").values["accuracy"]["full"] == 0.97

    page = nbformat.read(done.notebook, as_version=4)
    nbformat.validate(page)
    figure, last = page.cells[-2], page.cells[-1]
    caption = "Accuracy by rank $r_{max}$. Data: Toy digits (1,000 test images; profile quick)."
    assert figure.metadata["mystnb"]["figure"]["caption"] == caption
    assert figure.metadata["mystnb"]["image"]["alt"] == "A line in profile quick"
    assert "image/png" in figure.outputs[0]["data"]
    assert last.cell_type == "markdown" and last.source.startswith("## Provenance")
    for words in (
        "| `rank_max` | `3` | largest rank [singular triplets]",
        "ab" * 32,
        "training: 7",
        "paperlib run toy/first\n",
    ):
        assert words in last.source
    assert "papermill" not in json.dumps(page) and str(project.root) not in json.dumps(page.metadata)


def test_overrides_make_a_custom_run(project):
    done = run_notebook("toy/first", overrides={"rank_max": 5, "digits": [2]})
    assert done.profile == "custom"
    assert done.notebook == project.root / "results/runs/toy/first/rank_max=5,digits=2.ipynb"
    assert load_result("toy/first", "custom").values["rank_max"] == 5
    assert "paperlib run toy/first -p rank_max=5 -p digits=2\n" in source(done.notebook, -1)
    assert not (project.root / "book").exists()


def test_a_profile_takes_its_parameters_and_paths_can_be_given(project, tmp_path):
    page, result = tmp_path / "page.ipynb", tmp_path / "result.json"
    done = run_notebook("toy/first", "laptop", output=page, result=result)
    assert (done.profile, done.notebook, done.result) == ("laptop", page, result)
    assert json.loads(result.read_text())["parameters"]["data"] == "full"
    assert f"paperlib run toy/first --profile laptop --output {page} --result {result}" in source(page, -1)
    assert project.files("results") == set()


def test_the_requested_profile_reaches_a_notebook_whose_profiles_are_equal(project):
    done = run_notebook("toy/second", "paper")
    assert done.result == project.root / "results/paper/toy/second.json"
    assert json.loads(done.result.read_text())["profile"] == done.profile == "paper"


def test_the_kernel_is_this_python_in_the_repository_root(project, monkeypatch, tmp_path):
    # No kernel is installed anywhere, and what is on the PATH is none either.
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    project.write_notebook(
        "second",
        "import os, sys\nrun.record(values={'python': sys.executable, 'folder': os.getcwd()})",
        parameters="",
    )
    values = json.loads(run_notebook("toy/second").result.read_text())["values"]
    assert values == {"python": sys.executable, "folder": str(project.root)}


@pytest.fixture
def earlier(project):
    """A page and a result of an earlier run."""
    page = project.root / "book/run/toy/first.ipynb"
    page.parent.mkdir(parents=True)
    page.write_text("earlier page")
    project.write_result()
    return project


def unchanged(project, files: set[str]) -> bool:
    page = (project.root / "book/run/toy/first.ipynb").read_text()
    return page == "earlier page" and load_result("toy/first", "quick").seconds == 1.5 and project.files() == files


@pytest.mark.parametrize(("overrides", "injected"), [({}, 0), ({"rank_max": 4}, 1)])
def test_a_failing_cell_is_named_and_nothing_is_half_written(earlier, overrides, injected):
    earlier.write_notebook("first", RECORD, "\n# divide\nrank_max / 0", "print('never')")
    before = earlier.files()
    with pytest.raises(RunError) as caught:
        run_notebook("toy/first", overrides=overrides)
    error = caught.value
    assert (error.notebook, error.cell, error.exception) == ("toy/first", 5, "ZeroDivisionError")
    assert "toy/first: cell 5 of 6, which begins '# divide', failed: ZeroDivisionError: division by zero" in str(error)
    assert "ZeroDivisionError" in error.traceback and "\x1b" not in error.traceback
    kept = earlier.root / "results/failed/toy/first.ipynb"
    assert error.kept == kept and "results/failed/toy/first.ipynb" in str(error)
    assert "division by zero" in kept.read_text()
    assert len([cell for cell in nbformat.read(kept, as_version=4).cells if cell.cell_type == "code"]) == 5 + injected
    assert unchanged(earlier, before | {"results/failed/toy/first.ipynb"})


def test_a_dead_kernel_is_named(earlier):
    earlier.write_notebook("first", RECORD, "import os\nos._exit(9)")
    before = earlier.files()
    with pytest.raises(RunError, match=r"cell 5 of 5, which begins 'import os', failed: the kernel died"):
        run_notebook("toy/first")
    assert unchanged(earlier, before | {"results/failed/toy/first.ipynb"})


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("print('nothing recorded')", "recorded no result"),
        ("start_run('toy/second', {}).record(values={})", "recorded a result as .*'toy/second'"),
        (
            "import os, pathlib\npathlib.Path(os.environ['PAPERLIB_RESULT']).write_text('{')",
            "recorded a damaged result",
        ),
    ],
)
def test_a_run_without_its_own_result_fails(earlier, cell, problem):
    earlier.write_notebook("first", cell)
    before = earlier.files()
    with pytest.raises(RunError, match=f"^toy/first .*{problem}"):
        run_notebook("toy/first")
    assert unchanged(earlier, before | {"results/failed/toy/first.ipynb"})


def test_a_full_disk_leaves_the_earlier_page_and_result(earlier, monkeypatch):
    whole = Path.write_text

    def write_half(path, text, **options):
        if path.is_relative_to(earlier.root):
            whole(path, text[: len(text) // 2], **options)
            raise OSError(28, "No space left on device")
        return whole(path, text, **options)

    before = earlier.files()
    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(OSError, match="No space left"):
        run_notebook("toy/first")
    assert unchanged(earlier, before)


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        ({"notebook_id": "toy/frist"}, UsageError, "unknown notebook"),
        ({"profile": "papers"}, UsageError, "unknown profile"),
        ({"overrides": {"rank_maks": 3}}, ParameterError, "Did you mean 'rank_max'"),
        ({"overrides": {"rank_max": "3"}}, ParameterError, "is of type str"),
        ({"overrides": {"rank_max": 0}}, ParameterError, "out of range"),
        ({"output": "page.html"}, UsageError, "ends in .ipynb"),
        ({"result": "result.txt"}, UsageError, "ends in .json"),
    ],
)
def test_wrong_usage_is_refused_before_anything_runs(project, arguments, error, problem):
    before = project.files()
    with pytest.raises(error, match=problem):
        run_notebook(**{"notebook_id": "toy/first"} | arguments)
    assert project.files() == before


def test_the_notebook_itself_is_never_overwritten(project):
    path = project.root / "notebooks/toy/first.ipynb"
    with pytest.raises(UsageError, match="is the notebook itself"):
        run_notebook("toy/first", output=path)


def test_plain_papermill_runs_the_notebook_too(project, tmp_path):
    command = [sys.executable, "-m", "papermill", "notebooks/toy/first.ipynb", str(tmp_path / "out.ipynb")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERLIB_")}
    done = subprocess.run(
        [*command, "-p", "rank_max", "4"], cwd=project.root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert load_result("toy/first", "custom").parameters["rank_max"] == 4
