"""A browser on the built book."""

from collections.abc import Iterator

import pytest
from browser_support import built_site, launch, new_page, served
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """The address of the built site, served to this machine alone."""
    with served(built_site()) as address:
        yield address


# One for each module rather than for the session: it holds an event loop, and tests elsewhere run loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = launch(playwright)
        yield program
        program.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """An empty page without a past."""
    with new_page(browser) as page:
        yield page
