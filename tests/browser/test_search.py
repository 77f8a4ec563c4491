"""A reader finds each chapter by a word that is its own, and the search by keys."""

import re
from collections import Counter
from functools import cache

import pytest
from browser_support import GENERATED, SITE, open_page, page_names, watch
from bs4 import BeautifulSoup

# Written here; pages under run/ are notebooks.
CHAPTERS = [name for name in page_names() if not name.startswith("run/") and name not in GENERATED]
WORD = re.compile(r"\b[a-z]{6,20}\b")


@cache
def words(name: str) -> frozenset[str]:
    article = BeautifulSoup((SITE / f"{name}.html").read_text("utf-8"), "html.parser").article
    for code in article.select("pre, code, .math, table"):
        code.decompose()
    return frozenset(WORD.findall(article.get_text(" ").lower()))


@cache
def pages_with() -> Counter[str]:
    return Counter(word for name in page_names() if name != "search" for word in words(name))


def own_term(name: str) -> str:
    """The word of a page that stands on the fewest other pages, the longest of several."""
    return min(words(name), key=lambda word: (pages_with()[word], -len(word), word))


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_found_by_a_term_of_its_own(page, place, name):
    traffic = watch(page, place)
    page.goto(f"{place}/search.html?q={own_term(name)}")
    found = page.locator("#search-results ul.search a")
    found.first.wait_for()
    page.locator("#search-results", has_text="finished").wait_for()
    targets = [link.split("?")[0].split("#")[0] for link in found.evaluate_all("(all) => all.map(({ href }) => href)")]
    assert f"{place}/{name}.html" in targets
    assert traffic.problems() == []


def test_the_keys_open_the_search_and_a_result_opens_its_page(page, place):
    open_page(page, f"{place}/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("pseudoinverse")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=pseudoinverse*")
    first = page.locator("#search-results ul.search a").first
    first.wait_for()
    address = first.evaluate("({ href }) => href")
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address.split('?')[0].split('#')[0]}*")
    assert page.locator("article h1").first.is_visible()
