"""The built site as a reader gets it: nothing missing, nothing broken, every figure with words."""

import json
import re
from copy import copy
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from paperlib import paths

SITE = paths.BOOK / "_build" / "html"
# Made by Sphinx, not written here: they list every link of the others.
GENERATED = {"genindex.html", "search.html"}


@cache
def pages() -> dict[Path, BeautifulSoup]:
    found = {path: BeautifulSoup(path.read_text(), "html.parser") for path in sorted(SITE.rglob("*.html"))}
    return {path: page for path, page in found.items() if "_static" not in path.parts}


@pytest.fixture(scope="module")
def site() -> dict[Path, BeautifulSoup]:
    assert (SITE / "index.html").is_file(), "the book is not built; run: make book"
    return pages()


def figure_cells() -> int:
    """How many figures the executed notebooks have."""
    found = 0
    for path in paths.EXECUTED.rglob("*.ipynb"):
        found += sum("mystnb" in cell["metadata"] for cell in json.loads(path.read_text())["cells"])
    assert found > 10
    return found


def figures(page: BeautifulSoup):
    return page.select("main figure, article figure")


def test_every_notebook_has_its_page(site):
    executed = sorted(path.relative_to(paths.BOOK) for path in paths.EXECUTED.rglob("*.ipynb"))
    assert executed
    assert {SITE / path.with_suffix(".html") for path in executed} <= set(site)


def test_numbers_are_set_as_in_print(site):
    # Explorers write numbers as they change them, in signs that a script has at hand.
    count = 0
    for path, page in site.items():
        article = page.find("article")
        count += len(article.find_all("sup")) if article else 0
        if article:
            words = copy(article)
            for verbatim in words.select("pre, code, script, style, svg, .math, [data-explorer]"):
                verbatim.decompose()
            assert not re.findall(r"\b\d[\d.]*e[+-]\d+|(?<![^\s|(\[±=])-\.?\d\S*|10−\d+", words.get_text("|")), path
    assert count > 50


def test_every_image_is_there_and_not_empty(site):
    count = 0
    for path, page in site.items():
        for image in page.find_all("img"):
            source = image.get("src", "")
            if source.startswith("data:"):
                continue
            count += 1
            assert not urlsplit(source).scheme, f"{path.name}: {source} is fetched from the network"
            assert (path.parent / unquote(source)).stat().st_size > 300, f"{path.name}: {source}"
    assert count >= figure_cells()


def test_every_image_has_alt_text(site):
    bare = [
        (path.name, image.get("src"))
        for path, page in site.items()
        for image in page.find_all("img")
        if not image.get("alt")
    ]
    assert not bare


def test_every_figure_has_a_number_and_a_caption(site):
    count = 0
    for path, page in site.items():
        for figure in figures(page):
            count += 1
            caption = figure.find("figcaption")
            assert caption, f"{path.name}: figure without caption"
            assert caption.select_one(".caption-number"), f"{path.name}: figure without number"
            assert "{" not in caption.get_text(), f"{path.name}: {caption.get_text()}"
    assert count >= figure_cells()


def test_every_internal_link_leads_somewhere(site):
    broken = []
    for path, page in site.items():
        if path.name in GENERATED:
            continue
        for link in page.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc or link["href"].startswith("#!"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target = target / "index.html"
            if not target.is_file():
                broken.append((path.name, link["href"]))
            elif parts.fragment and target in site and not has_anchor(site[target], unquote(parts.fragment)):
                broken.append((path.name, link["href"]))
    assert not broken


def has_anchor(page: BeautifulSoup, name: str) -> bool:
    return page.find(id=name) is not None or page.find(attrs={"name": name}) is not None


def test_no_result_is_missing(site):
    red = [(path.name, box.get_text()[:100]) for path, page in site.items() for box in page.select(".paperlib-missing")]
    assert not red


def test_no_markup_is_left_as_text(site):
    """A table or formula that was not understood stands on the page as its source."""
    left = []
    for path, page in site.items():
        for paragraph in page.select("main p, main td"):
            text = paragraph.get_text()
            if "| ---" in text or "| —" in text or ("\\begin{bmatrix}" in text and not paragraph.select(".math")):
                left.append((path.name, text[:80]))
    assert not left


def test_no_page_shows_an_error(site):
    shown = [path.name for path, page in site.items() if page.select(".output.traceback, .system-message")]
    assert not shown


def test_no_script_or_style_comes_from_the_network(site):
    fetched = {
        (path.name, address)
        for path, page in site.items()
        for tag in page.find_all(["script", "link"])
        for address in [tag.get("src") or tag.get("href") or ""]
        if urlsplit(address).scheme in ("http", "https") and "canonical" not in (tag.get("rel") or [])
    }
    assert not fetched
