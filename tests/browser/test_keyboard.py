"""Every page by the Tab key alone: all that can be used is reached, is seen to be reached, and lets go again."""

import pytest
from browser_support import open_page, page_names

# What a reader can use now, through shadow roots too, each with its looks before it has the focus.
PREPARE = """(whole) => {
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
# Boxes that scroll may come on top of those that are expected.
SPARE = 60


@pytest.mark.parametrize("name", page_names())
def test_the_tab_key_reaches_everything_and_passes_on(page, place, name):
    open_page(page, f"{place}/{name}.html")
    # What stands around the text is the same on every page: one page is walked from its first control to its last.
    whole = "body" if name == "index" else "main"
    steps = page.evaluate(PREPARE, whole) + SPARE
    if whole == "main":
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


@pytest.mark.parametrize("name", ["learn/spaces", "svr/exercises"])
def test_folded_parts_open_by_a_key(page, place, name):
    open_page(page, f"{place}/{name}.html")
    closed = page.locator("article details:not([open])")
    count = closed.count()
    assert count > 0
    closed.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert closed.count() == count - 1
