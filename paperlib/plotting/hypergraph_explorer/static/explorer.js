// The custom element: q, p, and what is chosen at them.

import { defineExplorer, ExplorerElement, make } from "../../explorers/static/element.js";
import { classWords, countWords } from "./words.js";
import { key } from "./layout.js";
import { Diagram } from "./diagram.js";
import { fillMatrix, markRows } from "./matrix.js";
import { fillDetails } from "./details.js";

const LEAST_WIDTH = 300;

class HypergraphExplorer extends ExplorerElement {
  build(root, data) {
    this.find = (selector) => root.querySelector(selector);
    this.data = data;
    Object.assign(this, { place: null, hovered: null, hyperedge: null });
    this.find(".title").textContent = data.title;
    this.diagram = new Diagram(this.find(".diagram"), data.names, {
      hover: (place) => this.mark({ hovered: place }),
      choose: (place) => this.mark({ place: place === this.place ? null : place, hyperedge: null }),
    });
    this.find(".stage").addEventListener("keydown", (event) => this.key(event));
    this.buildSlider(".q", data.quantiles, data.start[0]);
    this.buildSlider(".p", data.majorities, data.start[1]);
    this.buildChips();
    this.find(".matrix tbody").addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row !== null) this.mark({ place: Number(row.dataset.place), hyperedge: null });
    });
    this.change();
    new ResizeObserver(() => this.resize()).observe(this.find(".stage"));
  }

  buildSlider(name, values, start) {
    const slider = this.find(`${name} input`);
    slider.max = values.length - 1;
    slider.value = start;
    slider.addEventListener("input", () => this.change());
    // With one value there is nothing to choose.
    slider.disabled = values.length === 1;
  }

  buildChips() {
    this.chips = this.data.names.map((name, edge) => {
      const chip = make("button", "", name);
      chip.type = "button";
      chip.addEventListener("click", () => {
        this.mark({ hyperedge: this.hyperedge === edge ? null : edge, place: null });
      });
      return chip;
    });
    this.find(".chips").append(...this.chips);
  }

  /** Pixels of the diagram; in a closed drop-down there are none yet. */
  get width() {
    return Math.max(LEAST_WIDTH, this.find(".stage").clientWidth);
  }

  resize() {
    if (this.width === this.diagram.plan.width) return;
    this.diagram.show(this.shown, this.width);
    this.mark({});
  }

  get cell() {
    return this.data.cells[this.find(".q input").valueAsNumber][this.find(".p input").valueAsNumber];
  }

  change() {
    const { data, cell } = this;
    const [q, p] = [".q", ".p"].map((name) => this.find(`${name} input`).valueAsNumber);
    this.write(".q", String(data.quantiles[q]));
    this.write(".p", `${data.majorities[p]} %`);
    this.find(".counts").textContent = countWords(cell, data.names);
    const kept = this.place === null ? null : key(this.shown.classes[this.place]);
    const place = kept === null ? -1 : cell.classes.findIndex((one) => key(one) === kept);
    this.shown = cell;
    this.diagram.show(cell, this.width);
    this.find(".empty").hidden = cell.classes.length > 0;
    fillMatrix(this.find(".matrix"), cell, data.names, data.singularValues);
    this.chips.forEach((chip, edge) => {
      const nodes = cell.classes.reduce((sum, [members, edges]) => sum + members.length * edges.includes(edge), 0);
      chip.replaceChildren(data.names[edge], make("small", "", String(nodes)));
      chip.setAttribute("aria-label", `${data.names[edge]}, nodes: ${nodes}`);
    });
    this.mark({ place: place < 0 ? null : place, hovered: null });
  }

  write(name, text) {
    this.find(`${name} output`).textContent = text;
    this.find(`${name} input`).setAttribute("aria-valuetext", text);
  }

  mark(settings) {
    Object.assign(this, settings);
    const place = this.hovered ?? this.place;
    this.diagram.mark(place, this.hyperedge);
    markRows(this.find(".matrix"), place);
    fillDetails(this.find(".details"), this.data, this.shown, place);
    const edges = place === null ? [this.hyperedge] : this.shown.classes[place][1];
    this.chips.forEach((chip, edge) => {
      chip.setAttribute("aria-pressed", edge === this.hyperedge);
      chip.classList.toggle("lit", edges.includes(edge));
    });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Escape") this.mark({ place: null, hyperedge: null });
    else if (event.key.startsWith("Arrow")) this.walk(event.key);
    else return;
    event.preventDefault();
  }

  walk(arrow) {
    const place = this.diagram.step(this.place, arrow);
    this.mark({ place, hovered: null, hyperedge: null });
    this.find(".spoken").textContent = place === null ? "" : classWords(this.data.names, this.shown.classes[place]);
  }
}

defineExplorer(HypergraphExplorer);
