"""A page's theme is changed at once: colours are judged as readers see them in the end."""

import pytest
from page_support import dress

# Colours that a parent hands down, a shadow root among them, and a movement that never ends.
PAGE = """<style>
  :root { --ground: rgb(255, 255, 255); }
  :root[data-theme=dark] { --ground: rgb(0, 0, 0); }
  @keyframes turn { to { rotate: 1turn; } }
  section { color: var(--ground); }
  section, p, b { transition: color 100s; }
  i { animation: turn 1s infinite; }
</style><section><p><b>text</b><i>turns</i></p><div></div></section><script>
  document.querySelector("div").attachShadow({ mode: "open" }).innerHTML =
    "<style>em { transition: color 100s; color: var(--ground); }</style><em>shaded</em>";
</script>"""
COLOURS = """() => {
  const within = document.querySelector("div").shadowRoot.querySelector("em");
  return [...document.querySelectorAll("section, p, b, i"), within].map((one) => getComputedStyle(one).color);
}"""


@pytest.mark.parametrize(("theme", "colour"), [("dark", "rgb(0, 0, 0)"), ("light", "rgb(255, 255, 255)")])
def test_colours_have_settled(page, theme, colour):
    page.set_content(PAGE)
    dress(page, "light" if theme == "dark" else "dark")
    dress(page, theme)
    assert page.evaluate(COLOURS) == [colour] * 5
