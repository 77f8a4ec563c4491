"""The index of the built book: every term of the glossary, and first the page that explains it."""

import re

import pytest
from bs4 import BeautifulSoup

from paperlib.paths import BOOK

SITE = BOOK / "_build" / "html"
GLOSSARY = (BOOK / "glossary.md").read_text(encoding="utf-8").partition(":::{glossary}")[2]
TERMS = sorted(re.findall(r"^(?!:)(\S.*)$", GLOSSARY, flags=re.MULTILINE))
LESSONS = re.findall(
    r"^          - file: (learn/\w+)$", (BOOK / "_toc.yml").read_text(encoding="utf-8"), flags=re.MULTILINE
)
LESSONS = [page for page in LESSONS if page not in ("learn/teaching", "learn/statements")]


@pytest.fixture(scope="module")
def entries() -> dict[str, list[str]]:
    """The pages that each entry of the index leads to, in its order."""
    path = SITE / "genindex.html"
    assert path.is_file(), "the book is not built; run: make book"
    found = {}
    for row in BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select(".genindextable td > ul > li"):
        term = " ".join(text for text in row.find_all(string=True, recursive=False)).strip()
        found[term] = [link["href"].partition("#")[0] for link in row.select("a[href]")]
    return found


def test_the_glossary_is_read():
    assert len(TERMS) > 70 and len(LESSONS) == 11


@pytest.mark.parametrize("term", TERMS)
def test_a_term_leads_to_the_page_that_explains_it_and_to_the_glossary(entries, term):
    assert entries[term][-1] == "glossary.html"
    assert len(entries[term]) > 1 and len(set(entries[term])) == len(entries[term])


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_has_entries(entries, lesson):
    assert sum(f"{lesson}.html" in pages for pages in entries.values()) >= 3


def test_links_are_titles_of_pages_and_lead_somewhere(entries):
    page = BeautifulSoup((SITE / "genindex.html").read_text(encoding="utf-8"), "html.parser")
    links = page.select(".genindextable a[href]")
    assert len(links) > len(TERMS)
    assert [link.get_text() for link in links if re.fullmatch(r"\[?\d*\]?", link.get_text().strip())] == []
    for link in links:
        file, _, target = link["href"].partition("#")
        assert f'id="{target}"' in (SITE / file).read_text(encoding="utf-8")


def test_the_index_is_in_the_contents():
    page = BeautifulSoup((SITE / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert page.select_one('nav.bd-links a[href="genindex.html"]')
