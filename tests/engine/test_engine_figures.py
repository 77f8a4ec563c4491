"""Figures of executed notebooks as files."""

import base64
import json

import pytest

from paperlib.engine.errors import SourceError
from paperlib.engine.figures import all_figures, export_figure, page_figures

PIXEL = base64.b64encode(b"pixels").decode()


def executed(project, *outputs, name="first"):
    cells = [{"cell_type": "markdown", "metadata": {}, "source": "# A page"}]
    for number, output in enumerate(outputs):
        figure = {"name": f"fig-toy-{number}", "caption": f"Caption {number}."}
        metadata = {"mystnb": {"figure": figure, "image": {"alt": f"What {number} shows."}}}
        cells.append({"cell_type": "code", "metadata": metadata, "source": "", "outputs": [{"data": output}]})
    path = project.root / f"book/run/toy/{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells}))


def test_labelled_figures_have_their_words_and_their_images(project):
    both = {"image/svg+xml": ["<svg>", "</svg>"], "image/png": PIXEL, "text/plain": "Figure"}
    executed(project, both, {"text/html": "an explorer"}, {"image/png": PIXEL})
    first, other = page_figures("toy/first")
    assert (first.name, first.caption, first.alt) == ("fig-toy-0", "Caption 0.", "What 0 shows.")
    assert first.images == {"svg": b"<svg></svg>", "png": b"pixels"} and other.images == {"png": b"pixels"}
    assert list(all_figures()) == ["fig-toy-0", "fig-toy-2"]
    assert first.file("svg") == project.root / "book/run/toy/figures/fig-toy-0.svg"


def test_files_are_written_once(project):
    executed(project, {"image/svg+xml": "<svg/>"})
    (figure,) = all_figures().values()
    export_figure(figure)
    before = figure.file("svg").stat().st_mtime_ns
    assert figure.file("svg").read_bytes() == b"<svg/>"
    export_figure(figure)
    assert figure.file("svg").stat().st_mtime_ns == before
    executed(project, {"image/svg+xml": "<svg>new</svg>"})
    export_figure(all_figures()[figure.name])
    assert figure.file("svg").read_bytes() == b"<svg>new</svg>"


def test_a_notebook_that_was_not_run_has_no_figures(project):
    assert page_figures("toy/second") == []


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": [1]}'])
def test_a_page_that_is_no_notebook_is_named(project, text):
    executed(project)
    (project.root / "book/run/toy/first.ipynb").write_text(text)
    with pytest.raises(SourceError, match=r"book/run/toy/first.ipynb is no executed notebook .*; run it again"):
        page_figures("toy/first")
