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
