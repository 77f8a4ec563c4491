"""Every interactive figure of the site answers to the mouse and to the keyboard."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from browser_support import Traffic, new_page, open_page, watch
from explorer_support import Place, explorers, shown
from playwright.sync_api import Locator, Page

# Places of a drawing to point at, as shares of its width and height.
PLACES = [(x / 12, y / 12) for y in range(1, 12) for x in range(1, 12)]
DRAWING = "[tabindex='0']:is([role=application], [role=slider])"


@dataclass(frozen=True)
class Figure:
    """An interactive figure on its page."""

    page: Page
    where: Place
    traffic: Traffic

    @property
    def host(self) -> Locator:
        return self.where.of(self.page)

    def find(self, selector: str) -> list[Locator]:
        """Controls that are in use now."""
        found = self.host.locator(selector).all()
        return [one for one in found if one.is_visible() and one.is_enabled()]

    def shown(self) -> str:
        return shown(self.host)

    def press(self, control: Locator, *keys: str) -> bool:
        """Whether one of the keys, at the control, changes what is shown."""
        control.focus()
        return any(self._changes(lambda key=key: self.page.keyboard.press(key)) for key in keys)

    def click(self, control: Locator, place: tuple[float, float]) -> bool:
        """Whether a click at a place of the control, as a share of its size, changes what is shown."""
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        x, y = box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]
        return self._changes(lambda: self.page.mouse.click(x, y))

    def _changes(self, act) -> bool:
        before = self.shown()
        act()
        return self.shown() != before


@pytest.fixture(scope="module", params=explorers(), ids=str)
def figure(request, browser, place) -> Iterator[Figure]:
    with new_page(browser) as page:
        traffic = watch(page, place)
        open_page(page, f"{place}/{request.param.page}.html")
        yield Figure(page, request.param, traffic)


def test_the_site_has_explorers():
    assert len(explorers()) > 5


def test_it_takes_the_place_of_its_static_figure(figure):
    assert figure.host.locator(".explorer").is_visible()
    assert not figure.host.locator("> img").is_visible()


def test_there_is_something_to_change(figure):
    assert figure.find("input, select, button, [tabindex='0']")


def test_sliders(figure):
    for slider in figure.find("input[type=range]"):
        assert figure.press(slider, "End", "Home")
        assert figure.click(slider, (0.5, 0.5)) or figure.click(slider, (0.9, 0.5))


def test_lists_of_choices(figure):
    for choice in figure.find("select"):
        if choice.locator("option").count() > 1:
            assert figure.press(choice, "ArrowDown")
            before = figure.shown()
            choice.select_option(index=0)
            assert figure.shown() != before


def test_numbers_that_are_typed(figure):
    for entry in figure.find("input[type=number]"):
        entry.fill("0.7")
        before = figure.shown()
        entry.fill("1.9")
        assert figure.shown() != before
        assert figure.press(entry, "ArrowUp", "ArrowDown")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_buttons(figure, by):
    def works(button: Locator) -> bool:
        return figure.click(button, (0.5, 0.5)) if by == "mouse" else figure.press(button, "Enter")

    buttons = figure.find("button")
    for button in buttons:
        # A button that goes back to the start, or on where it has arrived, has its effect after another one's.
        assert works(button) or any(works(other) and works(button) for other in buttons), button.inner_text()


def test_drawings_by_keyboard(figure):
    for drawing in figure.find(DRAWING):
        assert figure.press(drawing, "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"), drawing.get_attribute("class")


def test_drawings_by_mouse(figure):
    for drawing in figure.find(DRAWING):
        if drawing.get_attribute("role") == "application" and drawing.evaluate("(one) => one.localName") != "circle":
            assert any(figure.click(drawing, place) for place in PLACES), drawing.get_attribute("class")
        else:
            assert _dragged(figure, drawing)


def _dragged(figure: Figure, handle: Locator) -> bool:
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = figure.shown()
    mouse = figure.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 20, y + 20, steps=4)
    mouse.up()
    return figure.shown() != before


def test_folded_parts_open_by_a_key(figure):
    for part in figure.find("details"):
        was_open = part.evaluate("(part) => part.open")
        part.locator("summary").first.focus()
        figure.page.keyboard.press("Enter")
        assert part.evaluate("(part) => part.open") != was_open


def test_paper_gets_the_static_figure(figure):
    figure.page.emulate_media(media="print")
    assert figure.host.locator("> img").is_visible()
    assert figure.host.locator("> table").first.is_visible()
    assert not figure.host.locator(".explorer").is_visible()
    figure.page.emulate_media(media="screen")


def test_nothing_went_wrong_meanwhile(figure):
    assert figure.traffic.problems() == []
