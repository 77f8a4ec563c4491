"""Every page by the Tab key alone: all that can be used is reached, is seen to be reached, and lets go again."""

import pytest
from browser_support import open_page, page_names

# What a reader can use now, through shadow roots too, each with its looks before it has the focus.
PREPARE = """() => {
  const looks = (one) => {
    const { outlineStyle, outlineWidth, boxShadow, stroke, strokeWidth, backgroundColor, borderColor } =
      getComputedStyle(one);
    const outline = outlineStyle === "none" ? "" : outlineWidth;
    return [outline, boxShadow, stroke, strokeWidth, backgroundColor, borderColor].join();
  };
  const within = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
    one.shadowRoot ? [one, ...within(one.shadowRoot)] : [one]);
  const usable = (one) => one.matches("a[href], button, input, select, textarea, summary, [tabindex]")
    && one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true })
    && !(one.type === "radio" && !one.checked);
  const name = (one) => `${one.localName} ${one.getAttribute("class")} ${(one.ariaLabel ?? one.textContent).trim()}`;
  const expected = within(document.body).filter(usable);
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
    steps = page.evaluate(PREPARE) + SPARE
    for _ in range(steps):
        page.keyboard.press("Tab")
        if not page.evaluate("() => step()"):
            break
    else:
        pytest.fail(f"after {steps} steps the Tab key has not come round")
    assert page.evaluate("() => outcome()") == {"unseen": [], "missed": []}


def test_solutions_and_folded_parts_open_by_a_key(page, place):
    open_page(page, f"{place}/learn/spaces.html")
    for fold, opener in (("article details:not([open])", "summary"), (".admonition.toggle-hidden", ".toggle-button")):
        for part in page.locator(fold).all()[:1]:
            pass
        found = page.locator(fold)
        count = found.count()
        assert count > 0, fold
        found.first.locator(opener).first.focus()
        page.keyboard.press("Enter")
        assert page.locator(fold).count() == count - 1
