"""What a reader sees whose browser runs no scripts."""

from collections.abc import Iterator

import pytest
from browser_support import new_page, page_names
from explorer_support import explorers
from playwright.sync_api import Page


@pytest.fixture(scope="module")
def plain(browser) -> Iterator[Page]:
    with new_page(browser, java_script_enabled=False) as page:
        yield page


# The search needs its script; it says so.
@pytest.mark.parametrize("name", page_names())
def test_the_text_is_there(plain, place, name):
    plain.goto(f"{place}/{name}.html")
    article = plain.locator("article" if name != "search" else "main")
    shown = article.inner_text()
    assert len(shown.split()) > 10
    headings = plain.locator("article :is(h1, h2, h3)").all_inner_texts()
    assert all(heading.strip().rstrip("#").strip() in shown for heading in headings)
    assert "Please activate JavaScript" in shown or name != "search"


@pytest.mark.parametrize("where", explorers(), ids=str)
def test_an_explorer_shows_its_figure_and_a_table(plain, place, where):
    plain.goto(f"{place}/{where.page}.html")
    figure = where.of(plain).locator("> img")
    assert figure.is_visible() and figure.bounding_box()["width"] > 200
    assert len(figure.get_attribute("alt").split()) > 3
    table = where.of(plain).locator("> table").first
    assert table.is_visible() and table.locator("tbody tr").count() > 0
