"""Interactive figures: where they are, and what they show."""

import re
from dataclasses import dataclass

from browser_support import SITE, page_names
from playwright.sync_api import Locator, Page

# An explorer's element has a name and the digest of its script (paperlib.plotting.explorers).
TAG = re.compile(r"<([a-z]+(?:-[a-z]+)*-[0-9a-f]{8}) ")
# Texts, drawings and paintings, without what only assistive software reads.
_SHOWN = """(host) => {
  const root = host.shadowRoot.querySelector(".explorer");
  const html = root.innerHTML.replace(/ aria-[a-z]+="[^"]*"/g, "");
  return [html, ...[...root.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL())].join("\\n");
}"""
# Two frames: explorers paint before the next one.
_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


@dataclass(frozen=True)
class Place:
    """An explorer of the site: its page, its element's name, and which of the elements of this name it is."""

    page: str
    tag: str
    number: int

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"

    @property
    def selector(self) -> str:
        return f"{self.tag} >> nth={self.number}"

    def of(self, page: Page) -> Locator:
        return page.locator(self.selector)


def explorers() -> list[Place]:
    """Every explorer of the built site; none where the book is not built."""
    found = []
    for name in page_names():
        path = SITE / f"{name}.html"
        tags = TAG.findall(path.read_text("utf-8")) if path.is_file() else []
        found += [Place(name, tag, tags[:number].count(tag)) for number, tag in enumerate(tags)]
    return found


def shown(explorer: Locator) -> str:
    """What an explorer shows now, as a text to compare."""
    explorer.evaluate(_FRAMES)
    return explorer.evaluate(_SHOWN)
