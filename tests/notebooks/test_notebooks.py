"""The notebooks as committed: clean, thin, parametrised, with figures that a reader can use; and each runs."""

import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from paperlib import paths
from paperlib.engine import ParameterError, find_notebook, read_catalogue
from paperlib.engine.figures import page_figures
from paperlib.engine.results import local_path, read_result

IDS = list(read_catalogue())


def code_cells(notebook_id: str) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(paths.NOTEBOOKS / f"{notebook_id}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_notebook_file_is_in_the_catalogue():
    files = {path.relative_to(paths.NOTEBOOKS).with_suffix("").as_posix() for path in paths.NOTEBOOKS.rglob("*.ipynb")}
    assert files == set(IDS)


SHOWN = {
    "convsvd": [f"Figure {number}" for number in range(1, 11)],
    "generalizability": ["Table 1", "Table 2", *(f"Figure {number}" for number in range(1, 13))],
    "svr": ["Table 1", *(f"Figure {number}" for number in range(1, 15))],
    "vectorspaces": ["Figure 1", "Figure 2", "Figure 3"],
}


@pytest.mark.parametrize("paper", SHOWN)
def test_every_figure_and_table_is_covered(paper):
    covered = {
        item for notebook_id in IDS if notebook_id.startswith(f"{paper}/") for item in find_notebook(notebook_id).covers
    }
    assert covered >= set(SHOWN[paper])


def test_every_paper_has_its_list_of_figures():
    assert {notebook_id.partition("/")[0] for notebook_id in IDS} == set(SHOWN)


@pytest.mark.parametrize("notebook_id", IDS)
def test_is_committed_without_outputs(notebook_id):
    assert not [cell for cell in code_cells(notebook_id) if cell.outputs or cell.execution_count]


@pytest.mark.parametrize("notebook_id", IDS)
def test_is_written_as_jupyter_writes_it(notebook_id):
    """So a notebook that was opened and saved differs in what was changed, line by line."""
    path = paths.NOTEBOOKS / f"{notebook_id}.ipynb"
    assert path.read_text("utf-8").rstrip() == nbformat.writes(nbformat.read(path, as_version=4)).rstrip()


@pytest.mark.parametrize("notebook_id", IDS)
def test_cells_are_thin(notebook_id):
    assert max(len(cell.source.splitlines()) for cell in code_cells(notebook_id)) <= 25


@pytest.mark.parametrize("notebook_id", IDS)
def test_every_figure_cell_has_name_caption_and_alt(notebook_id):
    for cell in code_cells(notebook_id):
        if not cell.source.lstrip().startswith(("draw_", "show_tracked")) and "\ndraw_" not in cell.source:
            continue
        assert cell.metadata["mystnb"]["figure"]["name"].startswith("fig-")
        assert cell.metadata["mystnb"]["figure"]["caption"]
        assert len(cell.metadata["mystnb"]["image"]["alt"]) > 40


@pytest.mark.parametrize("notebook_id", IDS)
def test_every_parameter_has_a_meaning_and_every_profile_a_cost(notebook_id):
    notebook = find_notebook(notebook_id)
    assert all(spec.meaning for spec in notebook.parameters)
    assert all(dict(notebook.cost).values())


@pytest.mark.parametrize("notebook_id", IDS)
def test_refuses_a_misspelt_an_ill_typed_and_an_out_of_range_parameter(notebook_id):
    notebook = find_notebook(notebook_id)
    with pytest.raises(ParameterError, match="sead"):
        notebook.values("quick", {"sead": 1})
    with pytest.raises(ParameterError, match="seed"):
        notebook.values("quick", {"seed": "many"})
    with pytest.raises(ParameterError, match="seed"):
        notebook.values("quick", {"seed": -1})


@pytest.mark.parametrize("notebook_id", IDS)
def test_was_run_in_quick_for_the_book(notebook_id):
    result = read_result(local_path(notebook_id, "quick"))
    assert result.profile == "quick"
    executed = json.loads((paths.EXECUTED / f"{notebook_id}.ipynb").read_text())
    assert "Provenance" in "".join(executed["cells"][-1]["source"])
    assert "{data}" not in json.dumps(executed)


@pytest.mark.parametrize("notebook_id", IDS)
def test_captions_are_whole_sentences(notebook_id):
    """What stands for ``{data}`` brings its own full stop and begins with a capital."""
    for figure in page_figures(notebook_id):
        assert figure.caption.endswith((".", "?")) and ".." not in figure.caption, figure.caption
        assert not re.search(r"[^.?] Data: ", figure.caption), figure.caption


@pytest.mark.parametrize("notebook_id", IDS)
def test_captions_name_the_data_of_the_run(notebook_id):
    """A run that records data names them below each figure: its own, or those of the kept result that is drawn."""
    recorded = read_result(local_path(notebook_id, "quick")).data
    nameless = [figure.name for figure in page_figures(notebook_id) if recorded and "Data: " not in figure.caption]
    assert nameless == []


@pytest.mark.parametrize("notebook_id", IDS)
def test_runs_by_plain_papermill(notebook_id, tmp_path):
    result = tmp_path / "result.json"
    source, output = paths.NOTEBOOKS / f"{notebook_id}.ipynb", tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(source), str(output), "-p", "seed", "0", "-k", "python3"]
    # The result goes to a folder of the test: one beside the book's would make the book look out of date.
    environment = {**os.environ, "PAPERLIB_RESULT": str(result)}
    done = subprocess.run(command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert read_result(result).id == notebook_id
