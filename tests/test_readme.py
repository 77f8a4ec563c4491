"""What the README points to is there."""

import re
from functools import cache
from urllib.parse import urlsplit

import nbformat
import pytest
from PIL import Image

from paperlib.engine import find_notebook
from paperlib.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGETS = re.findall(r"\]\(([^)]+)\)", README)
NOTEBOOKS = sorted(set(re.findall(r"\b(?:generalizability|vectorspaces|svr|convsvd)/\w+", README)))


@pytest.mark.parametrize("target", [target for target in TARGETS if not urlsplit(target).scheme])
def test_every_link_leads_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_notebook_is_in_the_catalogue(notebook):
    assert find_notebook(notebook).id == notebook


def test_there_are_links_and_notebooks():
    assert len(TARGETS) >= 4 and len(NOTEBOOKS) >= 2


def test_the_picture_is_small_and_described():
    alt, file = re.search(r"!\[([^\]]+)\]\(([^)]+\.png)\)", README).groups()
    assert len(alt) > 40
    assert (ROOT / file).stat().st_size < 300_000
    assert Image.open(ROOT / file).size == (1400, 900)


@cache
def headings() -> set[str]:
    """The titles of all pages and their sections, and the captions of the table of contents."""
    prose = [path for path in (ROOT / "book").rglob("*.md") if "_build" not in path.parts]
    texts = [path.read_text(encoding="utf-8") for path in [*prose, ROOT / "book" / "_toc.yml"]]
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        texts += [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    return {title for text in texts for title in re.findall(r"^(?:#+|  - caption:) (.+)$", text, flags=re.MULTILINE)}


@pytest.mark.parametrize("page", re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", README))
def test_what_stands_in_italics_is_a_title_in_the_book(page):
    assert " ".join(page.split()) in headings()
