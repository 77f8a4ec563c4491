// Formulas that are wider than their column scroll in a box of their own, which the Tab key has to reach. The theme does
// the same for code and tables.

(() => {
  "use strict";

  function mark(box, wide) {
    if (wide === box.hasAttribute("tabindex")) return;
    for (const [name, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": "Wide formula" })) {
      if (wide) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
  }

  function look() {
    for (const box of document.querySelectorAll("div.math mjx-container, span.math")) {
      const drawing = box.querySelector("svg");
      const wide = drawing !== null && drawing.getBoundingClientRect().width > box.clientWidth + 1;
      const scrolls = wide && box.closest("td, th") === null;
      box.classList.toggle("paperlib-wide", scrolls);
      mark(box, scrolls);
    }
  }

  // The content's height changes with the window's width, and whenever formulas have been set.
  const start = () => new ResizeObserver(look).observe(document.querySelector("main"));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
