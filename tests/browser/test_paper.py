"""What comes out of the printer."""

import re

import pytest
from browser_support import open_page

SHEET = re.compile(rb"/Type\s*/Page\b")


def sheets(page) -> int:
    return len(SHEET.findall(page.pdf(format="A4", print_background=False)))


@pytest.mark.parametrize("name", ["learn/spaces", "svr/exercises"])
def test_folded_parts_are_printed_as_if_they_were_open(page, place, name):
    open_page(page, f"{place}/{name}.html")
    closed = page.locator("article details:not([open])")
    assert closed.count() > 3
    printed = sheets(page)
    page.evaluate("() => document.querySelectorAll('article details').forEach((one) => { one.open = true; })")
    assert sheets(page) == printed
    page.add_style_tag(content="@media print { details { display: none !important; } }")
    assert sheets(page) < printed


def test_a_handout_has_neither_hints_nor_solutions(page, place):
    open_page(page, f"{place}/learn/teaching.html")
    links = page.locator('article a[href*="?handout"]')
    assert links.count() >= 5
    for address in links.evaluate_all("(links) => links.map((link) => link.href)"):
        open_page(page, address)
        assert page.locator("article details").count() > 3
        assert page.locator("article details:visible, article .paperlib-evidence:visible").count() == 0
        assert page.locator("article h2:visible").count() > 3
        handout = sheets(page)
        open_page(page, address.removesuffix("?handout"))
        assert page.locator("article details:visible").count() > 3
        assert handout < sheets(page)
