// The custom element: which convolution, which direction, which place of the result.

import { defineExplorer, ExplorerElement, make } from "../../explorers/static/element.js";
import { placeWords, productWords, stepWords } from "./words.js";
import { readCase, stepOf } from "./cases.js";
import { drawArrows } from "./arrows.js";
import { drawMatrix } from "./matrix.js";

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };

class AdjointExplorer extends ExplorerElement {
  build(root, data) {
    this.find = (selector) => root.querySelector(selector);
    this.cases = data.cases.map(readCase);
    const list = this.find(".cases");
    list.append(...this.cases.map(({ name }) => make("option", "", name)));
    list.addEventListener("change", () => this.change({ shown: this.cases[list.selectedIndex], place: 0 }));
    this.directions = [...root.querySelectorAll(".directions button")];
    for (const button of this.directions) {
      button.addEventListener("click", () => this.change({ forward: button.value === "forward", place: 0 }));
    }
    this.find(".place").addEventListener("input", (event) => this.change({ place: event.target.valueAsNumber }));
    this.find(".previous").addEventListener("click", () => this.move(-1));
    this.find(".next").addEventListener("click", () => this.move(1));
    this.find(".stage").addEventListener("keydown", (event) => this.key(event));
    this.change({ shown: this.cases[0], forward: true, place: 0 });
  }

  get last() {
    return (this.forward ? this.shown.forward : this.shown.backward).values.length - 1;
  }

  move(steps) {
    this.change({ place: Math.min(this.last, Math.max(0, this.place + steps)) });
  }

  key(event) {
    const steps = STEPS[event.key];
    if (steps === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    this.move(steps);
    event.preventDefault();
  }

  change(settings) {
    Object.assign(this, settings);
    const { shown, forward, place } = this;
    const step = stepOf(shown, forward, place);
    const choose = (chosen) => this.change({ place: chosen });
    this.find(".explorer").classList.toggle("backward", !forward);
    drawArrows(this.find(".arrows"), shown, step, choose);
    drawMatrix(this.find(".matrix"), shown, step, choose);
    for (const button of this.directions) button.setAttribute("aria-pressed", (button.value === "forward") === forward);
    this.writeControls(step);
    this.find(".sum").textContent = stepWords(step);
    const [left, right] = productWords(shown);
    this.find(".left").textContent = left;
    this.find(".right").textContent = right;
    this.find(".line").textContent = `the matrix A, ${forward ? "row" : "column"} ${place} marked`;
  }

  writeControls({ result }) {
    const slider = this.find(".place");
    slider.max = this.last;
    slider.value = this.place;
    const words = `${this.forward ? "output" : "input"} ${placeWords(result, this.place)}`;
    slider.setAttribute("aria-valuetext", words);
    this.find("output").textContent = `${this.place + 1} of ${this.last + 1}`;
    // Not disabled: a button that takes the focus away at the last step would strand a reader with a keyboard.
    this.find(".previous").setAttribute("aria-disabled", this.place === 0);
    this.find(".next").setAttribute("aria-disabled", this.place === this.last);
  }
}

defineExplorer(AdjointExplorer);
