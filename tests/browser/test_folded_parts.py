"""What is folded away opens by a key."""

import pytest
from browser_support import open_page


@pytest.mark.parametrize("name", ["learn/spaces", "svr/exercises"])
def test_folded_parts_open_by_a_key(page, place, name):
    open_page(page, f"{place}/{name}.html")
    closed = page.locator("article details:not([open])")
    count = closed.count()
    assert count > 0
    closed.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert closed.count() == count - 1
