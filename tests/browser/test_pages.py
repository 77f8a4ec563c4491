"""Every page of the site in a browser, loaded once: light, dark, on a phone and on paper, for every reader."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
from browser_support import DESKTOP, PHONE, SITE, Traffic, built_site, new_page, open_page, page_names, watch
from page_support import (
    BEYOND_THE_EDGE,
    COLOUR_RULES,
    OVERFULL,
    SMALL_TEXT,
    WALK,
    built_file,
    dress,
    keep_picture,
    severe,
    violations,
)
from playwright.sync_api import Page

LARGEST = 3_000_000
SMALLEST_TEXT = 11
# Between the margins of a sheet of A4, in CSS pixels.
SHEET = {"width": 718, "height": 1000}
IMAGE_NAME = re.compile(r"\.(?:png|svg|jpe?g|webp)\b|_images/", re.IGNORECASE)
FEWEST_WORDS = 4
# Steps of the Tab key on top of those that are expected: boxes that scroll are found on the way.
SPARE_STEPS = 60


@dataclass(frozen=True)
class Visit:
    """A page that is open, and what it said and asked for."""

    name: str
    page: Page
    traffic: Traffic


@pytest.fixture(scope="module", params=page_names())
def visit(request, browser, place) -> Iterator[Visit]:
    """One page, open for all tests below, which put it into the state that they need."""
    with new_page(browser) as page:
        traffic = watch(page, place)
        open_page(page, f"{place}/{request.param}.html")
        yield Visit(request.param, page, traffic)


def on_screen(visit: Visit, theme: str = "light", size: dict = DESKTOP) -> Page:
    visit.page.emulate_media(media="screen")
    visit.page.set_viewport_size(size)
    dress(visit.page, theme)
    return visit.page


def test_the_site_has_these_pages_and_no_others():
    built = {str(path.relative_to(built_site()).with_suffix("")) for path in SITE.rglob("*.html")}
    assert {name for name in built if not name.startswith("_static/")} == set(page_names())


def test_a_page_says_nothing_and_asks_nobody_else(visit):
    assert visit.traffic.problems() == []


def test_a_page_is_light(visit):
    assert visit.traffic.size < LARGEST


def test_the_tab_key_reaches_everything_and_passes_on(visit):
    """It stands before the tests that click and scroll: the first key must find the page as it is opened."""
    page = on_screen(visit)
    # What stands around the text is the same on every page: one is walked from its first control to its last.
    around = visit.name == "index"
    steps = page.evaluate(WALK, "body" if around else "main") + SPARE_STEPS
    if not around:
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.textContent") == "Skip to main content"
        page.keyboard.press("Enter")
    for _ in range(steps):
        page.keyboard.press("Tab")
        if not page.evaluate("() => step()"):
            break
    else:
        pytest.fail(f"after {steps} steps the Tab key has not come round")
    assert page.evaluate("() => outcome()") == {"unseen": [], "missed": []}
    page.evaluate("() => document.activeElement.blur()")


@cache
def anchors(name: str) -> set[str]:
    return set(re.findall(r'\b(?:id|name)="([^"]+)"', built_file(name).read_text("utf-8")))


def test_every_link_and_every_image_leads_somewhere(visit, place):
    page = on_screen(visit)
    links = page.evaluate("() => [...document.querySelectorAll('a[href]')].map((link) => link.href)")
    broken = []
    for link in sorted({link for link in links if link.startswith(place)}):
        parts = urlsplit(link)
        target = SITE / unquote(parts.path).lstrip("/")
        if not target.is_file():
            broken.append(link)
        elif parts.fragment and target.suffix == ".html":
            known = anchors(str(target.relative_to(SITE).with_suffix("")))
            broken += [link] if unquote(parts.fragment) not in known else []
    assert broken == []
    empty = "() => [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)"
    # One that a script adds may still be on its way.
    page.wait_for_function("() => [...document.images].every((image) => image.complete)", polling=100)
    assert page.evaluate(empty) == []


def test_no_anchor_is_there_twice(visit):
    twice = visit.page.evaluate("""() => {
      const all = [...document.querySelectorAll("[id]")].map(({ id }) => id);
      return [...new Set(all.filter((id, place) => all.indexOf(id) !== place))];
    }""")
    assert twice == []


def test_no_two_regions_have_one_name(visit):
    names = visit.page.evaluate(
        "() => [...document.querySelectorAll('[role=region]')].map((region) => region.getAttribute('aria-label'))"
    )
    assert len(names) == len(set(names)), names


def test_every_formula_is_set(visit):
    """MathJax sets what it cannot read, such as a macro of a package that is not loaded, as an error."""
    errors = visit.page.locator('[data-mml-node="merror"]')
    assert [node.get_attribute("data-mjx-error") for node in errors.all()] == []


def test_every_formula_fits_on_a_desktop(visit):
    """A part that has to be scrolled to is a part that is not read."""
    wide = on_screen(visit).evaluate("""() => {
      const closed = document.querySelectorAll("article details:not([open])");
      closed.forEach((one) => { one.open = true; });
      const found = [...document.querySelectorAll("mjx-container[display=true]")]
        .filter((box) => box.scrollWidth > box.clientWidth + 2)
        .map((box) => `${box.textContent.trim().slice(0, 80)} (${box.scrollWidth} in ${box.clientWidth} px)`);
      closed.forEach((one) => { one.open = false; });
      return found;
    }""")
    assert wide == []


def test_every_picture_is_described(visit):
    described = visit.page.evaluate("() => [...document.querySelectorAll('article img')].map((image) => image.alt)")
    short = [alt for alt in described if len(alt.split()) < FEWEST_WORDS or IMAGE_NAME.search(alt)]
    assert short == []


def test_every_table_and_every_explorer_has_a_name(visit):
    nameless = visit.page.evaluate("""() => {
      const named = (one) => one.closest("[aria-label], [aria-labelledby]") !== null || one.caption?.textContent.trim();
      const within = (root) => [...root.querySelectorAll("table:not([role=presentation]), [role=application], canvas")]
        .filter((one) => !one.closest("[aria-hidden=true]"));
      const roots = [...document.querySelectorAll("main *")];
      const all = [document.querySelector("main"), ...roots.map((one) => one.shadowRoot).filter(Boolean)];
      return all.flatMap(within).filter((one) => !named(one)).map((one) => one.outerHTML.slice(0, 200));
    }""")
    assert nameless == []


def test_light_colours_and_everything_else_that_axe_knows(visit):
    page = on_screen(visit, "light")
    keep_picture(page, "light", visit.name)
    assert severe(violations(page)) == []


def test_dark_colours(visit):
    page = on_screen(visit, "dark")
    keep_picture(page, "dark", visit.name)
    # What stands around the text is the same on every page.
    around = visit.name == "index"
    assert severe(violations(page, COLOUR_RULES, within="html" if around else "main")) == []


def test_dark_pictures_stand_on_a_ground_of_their_own(visit):
    """Dark lines on nothing would vanish."""
    page = on_screen(visit, "dark")
    bare = page.evaluate("""() => [...document.querySelectorAll("article img")].filter((image) => {
      const [, ...parts] = getComputedStyle(image).backgroundColor.match(/rgba?\\((\\d+), (\\d+), (\\d+)(, 0)?\\)/);
      return parts[3] !== undefined || parts.slice(0, 3).some((part) => Number(part) < 200);
    }).map((image) => image.alt)""")
    assert bare == []


def test_a_phone_scrolls_only_downwards(visit):
    page = on_screen(visit, "light", PHONE)
    # The theme looks for boxes that scroll when the window has had its new size for a while.
    page.wait_for_timeout(400)
    keep_picture(page, "phone", visit.name)
    width = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], page.evaluate(BEYOND_THE_EDGE)
    overfull = page.evaluate(OVERFULL)
    assert [box["what"] for box in overfull if not box["scrolls"]] == []
    assert [box["what"] for box in overfull if not box["reached"]] == []
    assert page.evaluate(SMALL_TEXT, SMALLEST_TEXT) == []


def test_paper_has_everything(visit):
    page = on_screen(visit, "light", SHEET)
    page.emulate_media(media="print")
    width = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], page.evaluate(BEYOND_THE_EDGE)
    assert [box["what"] for box in page.evaluate(OVERFULL)] == []
    folded = page.evaluate("""() => [...document.querySelectorAll("article details, article .toggle-hidden")]
      .filter((one) => [...one.children].some((child) => child.localName !== "summary" && child.textContent.trim()
        && !(child.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true, opacityProperty: true })
          && child.getBoundingClientRect().height > 0)))
      .map((one) => one.textContent.trim().slice(0, 100))""")
    assert folded == []
