"""What comes out of the printer."""

import re

import pytest
from browser_support import open_page

SHEET = re.compile(rb"/Type\s*/Page\b")


def sheets(page) -> int:
    return len(SHEET.findall(page.pdf(format="A4", print_background=False)))


@pytest.mark.parametrize("name", ["learn/spaces", "svr/exercises"])
def test_folded_parts_are_printed_as_if_they_were_open(page, place, name):
    def printed(change: str) -> int:
        # Loaded anew each time: a second print of the same page may break it elsewhere than the first one.
        open_page(page, f"{place}/{name}.html")
        assert page.locator("article details:not([open])").count() > 3
        page.evaluate(f"() => document.querySelectorAll('article details').forEach((one) => {{ {change} }})")
        return sheets(page)

    as_it_is = printed("")
    assert printed("one.open = true;") == as_it_is
    assert printed("one.remove();") < as_it_is


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
