"""Rendered pages get the names and lose the scripts that the theme has no setting for."""

import pytest
from bs4 import BeautifulSoup

from paperlib.engine.sphinx_accessibility import mended

PAGE = """<!DOCTYPE html><html><head>
<script>document.documentElement.dataset.mode = localStorage.getItem("mode") || "";
document.documentElement.dataset.theme = localStorage.getItem("theme") || "";</script>
<script src="_static/documentation_options.js?v=1"></script>
<script defer src="_static/scripts/fontawesome.js?digest=1"></script>
<script src="_static/scripts/bootstrap.js"></script>
<script src="_static/searchtools.js"></script>
<script src="_static/language_data.js"></script>
<script src="searchindex.js"></script>
</head><body><div id="pst-primary-sidebar" class="x"><ul><li><a href="a.html">Sums &amp; ends</a>\
<details open="open"><summary><span></span></summary></details></li></ul></div><main>
<section class="proof-content" id="proof-content"></section>
<section class="proof-content" id="proof-content"></section>
<table class="table"><thead><tr><th><p>what "it" is</p></th><th></th><th>5 &lt; 6</th></tr></thead></table>
<table><caption>Named</caption><thead><tr><th>a</th></tr></thead></table>
<table aria-label="Named"><thead><tr><th class="head"><p></p></th><th>a</th></tr></thead></table>
<div class="citation" id="id1" role="doc-biblioentry"></div>
</main></body></html>"""


def page(*, searches: bool = False) -> BeautifulSoup:
    return BeautifulSoup(mended(PAGE, searches=searches), "html.parser")


def test_the_arrows_and_the_tables_are_named():
    assert page().summary["aria-label"] == "Pages of: Sums & ends"
    bare, captioned, labelled = page().find_all("table")
    assert bare["aria-label"] == "Table of what 'it' is, 5 < 6"
    assert bare["class"] == ["table"]
    assert not captioned.has_attr("aria-label") and labelled["aria-label"] == "Named"


def test_only_heads_with_words_are_heads():
    assert all(head.get_text() for head in page().find_all("th"))
    assert len(page().thead.tr.find_all(["th", "td"])) == 3


def test_no_withdrawn_role_is_left():
    assert page().find(id="id1").attrs == {"class": ["citation"], "id": "id1"}


@pytest.mark.parametrize("searches", [False, True])
def test_only_the_search_loads_its_index(searches):
    loaded = [script["src"] for script in page(searches=searches).find_all("script", src=True)]
    assert ("searchindex.js" in loaded) == ("_static/searchtools.js" in loaded) == searches
    assert "_static/scripts/bootstrap.js" in loaded
    assert not [source for source in loaded if "fontawesome" in source]


def test_no_anchor_is_there_twice():
    assert not page().find_all(id="proof-content")


def test_a_mode_is_named_where_none_is_stored():
    first = page().script.string
    assert '"mode") || "auto"' in first and '"theme") || (matchMedia' in first


def test_a_page_without_a_list_of_sections_gets_an_empty_one():
    assert len(page().select("main > .bd-sidebar-secondary")) == 1
    with_list = PAGE.replace("</main>", '<div class="bd-sidebar-secondary"></div></main>')
    assert mended(with_list, searches=False).count("bd-sidebar-secondary") == 1


def test_mending_again_changes_nothing():
    once = mended(PAGE, searches=False)
    again = BeautifulSoup(mended(once, searches=False), "html.parser")
    assert [table.attrs for table in again.find_all("table")] == [table.attrs for table in page().find_all("table")]
    assert again.summary.attrs == page().summary.attrs
