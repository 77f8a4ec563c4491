"""The built book in a browser: how large its pages are, how soon the first one can be used, and what is wrong on them.

    python benchmarks/site.py                        pages, figures, bytes, seconds, violations, errors, requests
    python benchmarks/site.py --site FOLDER          another build of the book
    python benchmarks/site.py --only learn/          some of the pages

Bytes are those of all that a page loads, compressed as web hosts send it and as it lies on the disk. The first page
can be used when its scripts and styles have run and its formulas are set. Violations are those of axe-core's rules,
all of them in light colours, those of colour again in dark ones.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer
from playwright.sync_api import Browser, sync_playwright

from paperlib.paths import ROOT
from paperlib.tables import markdown_table

# The tests of the site look at it in the same way.
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from browser_support import SITE, launch, new_page, open_page, page_names, served, watch
from page_support import COLOUR_RULES, count_by_rule, dress, violations

HEAVIEST = 5
ROUNDS = 5


@dataclass(frozen=True)
class Visit:
    """What one page weighs, has and breaks."""

    name: str
    sent: int
    on_disk: int
    figures: int
    light: Counter[str]
    dark: Counter[str]
    messages: int
    failed: int
    foreign: int


def visit(browser: Browser, site: Path, place: str, name: str) -> Visit:
    with new_page(browser) as page:
        traffic = watch(page, place)
        files = set()
        page.on("request", lambda request: files.add(site / unquote(urlsplit(request.url).path).lstrip("/")))
        open_page(page, f"{place}/{name}.html")
        on_disk = sum(path.stat().st_size for path in files if path.is_file())
        dress(page, "light")
        light = count_by_rule(violations(page))
        dress(page, "dark")
        dark = count_by_rule(violations(page, COLOUR_RULES))
        figures = page.locator("article :is(figure, .paperlib-figure)").count()
        parts = (len(traffic.messages), len(traffic.failed), len(traffic.foreign))
        return Visit(name, traffic.size, on_disk, figures, light, dark, *parts)


def seconds_to_use(browser: Browser, place: str) -> float:
    """The median over some loads, each without a cache."""
    seconds = []
    for _ in range(ROUNDS):
        with new_page(browser) as page:
            start = perf_counter()
            open_page(page, f"{place}/index.html")
            # An answer to a key: nothing keeps the page busy any more.
            page.keyboard.press("Tab")
            page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
            seconds.append(perf_counter() - start)
    return median(seconds)


def main(
    site: Annotated[Path, typer.Option(help="the folder of the built site")] = SITE,
    only: Annotated[str, typer.Option(help="the start of the names of the pages to visit")] = "",
) -> None:
    with sync_playwright() as playwright, served(site) as place:
        browser = launch(playwright)
        seconds = seconds_to_use(browser, place)
        names = [name for name in page_names() if name.startswith(only) and (site / f"{name}.html").is_file()]
        visits = [visit(browser, site, place, name) for name in names]
        browser.close()
    print(f"{len(visits)} pages, {sum(one.figures for one in visits)} figures")
    print(f"first page: can be used after {seconds:.2f} s (median of {ROUNDS})")
    counts = {kind: sum(getattr(one, kind) for one in visits) for kind in ("messages", "failed", "foreign")}
    print(
        "console errors and warnings {messages}, failed requests {failed}, requests elsewhere {foreign}".format(
            **counts
        )
    )
    heaviest = sorted(visits, key=lambda one: one.sent, reverse=True)[:HEAVIEST]
    rows = [[one.name, f"{one.sent:,}", f"{one.on_disk:,}"] for one in heaviest]
    print(markdown_table(["heaviest pages", "bytes sent", "bytes on disk"], rows))
    for theme in ("light", "dark"):
        found = sum((getattr(one, theme) for one in visits), Counter())
        rows = [[rule, str(count)] for rule, count in found.most_common()] or [["none", "0"]]
        print(markdown_table([f"violations in {theme} colours", "elements"], rows))


if __name__ == "__main__":
    typer.run(main)
