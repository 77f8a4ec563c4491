"""What tests ask of a page that is open: its colours, its measures, what is in it, and what axe-core finds."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from browser_support import SITE
from playwright.sync_api import Page

from paperlib import paths

SCREENSHOTS = paths.ROOT / "build" / "screenshots"
# A formula's drawing has thousands of strokes and nothing that axe-core could judge; its text beside it stays in.
_AXE_RUN = """async ([include, only]) => {
  const options = { resultTypes: ["violations"], preload: false, elementRef: false };
  if (only.length) options.runOnly = only;
  const { violations } = await axe.run({ include, exclude: [["mjx-container > svg"]] }, options);
  return violations.flatMap(({ id, impact, nodes }) => nodes.map((node) => [
    id, impact, `${node.target.join(" ")}: ${node.failureSummary.split("\\n").slice(1).join(" ").trim()}`,
  ]));
}"""
# The rules whose verdict depends on the theme.
COLOUR_RULES = ("color-contrast", "link-in-text-block")
SEVERE = ("serious", "critical")


@dataclass(frozen=True)
class Violation:
    """One element that breaks a rule of axe-core, with the rule's impact."""

    rule: str
    impact: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}) {self.what}"


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def violations(page: Page, rules: tuple[str, ...] = (), *, within: str = "html") -> list[Violation]:
    """What axe-core finds on the page as it is now, or in a part of it, by all of its rules or by some."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    return [Violation(*found) for found in page.evaluate(_AXE_RUN, [[within], list(rules)])]


def severe(found: list[Violation]) -> list[str]:
    return [str(one) for one in found if one.impact in SEVERE]


def count_by_rule(found: list[Violation]) -> Counter[str]:
    return Counter(f"{one.rule} ({one.impact})" for one in found)


# Sets the theme and brings every movement to its end, without waiting for a frame: a browser without a window may stop
# painting them. What inherits a colour begins to change when its parent has, hence the loop.
_DRESS = """(theme) => {
  Object.assign(document.documentElement.dataset, { mode: theme, theme });
  const unfinished = ({ playState, effect }) =>
    playState !== "finished" && Number.isFinite(effect.getComputedTiming().endTime);
  const settle = (root) => {
    for (let moving; (moving = root.getAnimations().filter(unfinished)).length; ) moving.forEach((one) => one.finish());
    for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) settle(shadowRoot);
  };
  settle(document);
}"""


def dress(page: Page, theme: str) -> None:
    """Show the page in the theme "light" or "dark", as the theme's own switch does, with its colours settled."""
    page.evaluate(_DRESS, theme)


def keep_picture(page: Page, kind: str, name: str) -> Path:
    """A picture of the whole page, which a person can look at afterwards."""
    path = SCREENSHOTS / kind / f"{name.replace('/', '.')}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    # What follows a reader down the page would stand in its middle.
    page.evaluate("() => { document.activeElement.blur(); scrollTo({ top: 0, behavior: 'instant' }); }")
    page.screenshot(path=path, type="jpeg", quality=50, full_page=True, scale="css")
    return path


def built_file(name: str) -> Path:
    return SITE / f"{name}.html"


# Whole elements beyond the right edge, unless a box that ends before it scrolls or cuts them.
BEYOND_THE_EDGE = """() => {
  const edge = document.scrollingElement.clientWidth + 1;
  const shown = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 0;
  const kept = (element) => {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
      if (getComputedStyle(box).overflowX !== "visible" && box.getBoundingClientRect().right <= edge) return true;
    }
    return false;
  };
  return [...document.querySelectorAll("article *")]
    .filter((one) => shown(one) && one.getBoundingClientRect().right > edge && !kept(one))
    .map((one) => `${one.tagName} ${one.getAttribute("class")} ${one.textContent.trim().slice(0, 60)}`);
}"""
# Boxes whose content is wider than they are; "scroll" where a reader can move it, else "hidden".
OVERFULL = """() => [...document.querySelectorAll("article *")]
  .filter((box) => {
    const { overflowX } = getComputedStyle(box);
    // An assistive copy of a formula is one pixel wide on purpose.
    return overflowX !== "visible" && box.checkVisibility() && box.scrollWidth > box.clientWidth + 2
      && box.clientWidth > 1 && !box.closest("mjx-assistive-mml");
  })
  .map((box) => {
    const { overflowX } = getComputedStyle(box);
    const reached = [box, ...box.querySelectorAll("a[href], button, input, select, summary, [tabindex]")]
      .some((one) => one.tabIndex >= 0);
    return {
      what: `${box.tagName} ${box.getAttribute("class")} (${box.scrollWidth} in ${box.clientWidth} px)`,
      scrolls: ["auto", "scroll"].includes(overflowX),
      reached,
    };
  })"""
# The smallest sizes of text, in pixels; indices and exponents may be smaller than what they belong to.
SMALL_TEXT = """(least) => {
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("article, main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const apart = parent.closest("mjx-container, svg, sup, sub, script, style, .headerlink");
    if (apart || !parent.checkVisibility() || !walker.currentNode.data.trim()) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < least) found.push(`${size} px: ${walker.currentNode.data.trim().slice(0, 60)}`);
  }
  return found;
}"""
# What a reader can use now, through shadow roots too, each with its looks before it has the focus.
WALK = """(whole) => {
  const ring = (one) => {
    const { outlineStyle, outlineWidth, boxShadow, stroke, strokeWidth, backgroundColor, borderColor } =
      getComputedStyle(one);
    const outline = outlineStyle === "none" ? "" : outlineWidth;
    return [outline, boxShadow, stroke, strokeWidth, backgroundColor, borderColor].join();
  };
  // Some show it on the sign inside.
  const looks = (one) => [one, ...one.children].map(ring).join(";");
  const within = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
    one.shadowRoot ? [one, ...within(one.shadowRoot)] : [one]);
  const usable = (one) => one.matches("a[href], button, input, select, textarea, summary, [tabindex]")
    && one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })
    && !(one.type === "radio" && !one.checked);
  const name = (one) => `${one.localName} ${one.getAttribute("class")} ${(one.ariaLabel ?? one.textContent).trim()}`;
  const expected = within(document.querySelector(whole)).filter(usable);
  const before = new Map(expected.map((one) => [one, looks(one)]));
  const reached = new Set();
  const unseen = [];
  window.step = () => {
    let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    if (one === null || one === document.body || reached.has(one)) return false;
    reached.add(one);
    if (before.has(one) && looks(one) === before.get(one)) unseen.push(name(one).slice(0, 120));
    return true;
  };
  window.outcome = () => ({ unseen, missed: expected.filter((one) => !reached.has(one) && usable(one))
    .map((one) => name(one).slice(0, 120)) });
  return expected.length;
}"""
