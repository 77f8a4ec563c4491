// The custom element: what is on the axis, which fold is brought out, and the volume that is looked at.

import { defineExplorer, draw, ExplorerElement, make } from "../../explorers/static/element.js";
import { correlationWords, foldName, share, short } from "./words.js";
import { bandsOf, correlation, otherColumn, pairs, ratioColumn } from "./columns.js";
import { form, kind } from "./marks.js";
import { Plot } from "./plot.js";
import { fillBands, fillVolumes } from "./tables.js";

const LEAST_WIDTH = 320;

class ScatterExplorer extends ExplorerElement {
  build(root, data) {
    this.data = data;
    this.find = (selector) => root.querySelector(selector);
    Object.assign(this, { fold: null, volume: null, hovered: null });
    this.plot = new Plot(this.find(".plot"));
    const list = this.find(".axis");
    const names = ["right projection ratio", ...data.others.map(({ name }) => name)];
    list.append(...names.map((name) => make("option", "", name)));
    list.addEventListener("change", () => this.change());
    const slider = this.find(".k input");
    slider.max = data.ratios.length;
    slider.value = data.ratios.length;
    slider.addEventListener("input", () => this.change());
    this.find(".bands").addEventListener("click", ({ currentTarget: button }) => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      this.change();
    });
    this.buildFolds();
    this.listen(this.find(".stage"));
    this.change();
    new ResizeObserver(() => this.width !== this.drawn && this.redraw()).observe(this.find(".stage"));
  }

  buildFolds() {
    const folds = [...new Set(this.data.folds)].sort((a, b) => a - b);
    this.buttons = folds.map((fold) => {
      const button = make("button", "", foldName(fold));
      button.type = "button";
      button.value = fold;
      const sign = document.createElementNS(this.find(".plot").namespaceURI, "svg");
      sign.setAttribute("viewBox", "-6 -6 12 12");
      sign.setAttribute("aria-hidden", "true");
      draw(sign, "path", { class: kind(fold), d: form(fold) });
      button.prepend(sign);
      button.addEventListener("click", () => {
        this.fold = this.fold === fold ? null : fold;
        this.change();
      });
      return button;
    });
    this.find(".folds").append(...this.buttons);
    // With one fold there is nothing to bring out.
    this.find(".folds").hidden = folds.length < 2;
  }

  listen(stage) {
    const at = (event) => {
      const box = stage.getBoundingClientRect();
      return this.plot.nearest(event.clientX - box.left, event.clientY - box.top, this.fold);
    };
    const volumeAt = (place) => (place === null ? null : this.points[place].volume);
    stage.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") this.mark({ hovered: volumeAt(at(event)) });
    });
    stage.addEventListener("pointerleave", () => this.mark({ hovered: null }));
    stage.addEventListener("click", (event) => this.mark({ volume: volumeAt(at(event)) }));
    stage.addEventListener("keydown", (event) => this.key(event));
  }

  /** Pixels of the drawing; in a closed drop-down there are none yet. */
  get width() {
    return Math.max(LEAST_WIDTH, this.find(".stage").clientWidth);
  }

  get k() {
    return this.find(".k input").valueAsNumber;
  }

  get column() {
    const chosen = this.find(".axis").selectedIndex;
    return chosen > 0 ? otherColumn(this.data, chosen - 1) : ratioColumn(this.data, this.k);
  }

  change() {
    const { column, data } = this;
    const slider = this.find(".k input");
    slider.disabled = !column.isRatio || data.ratios.length === 1;
    this.find(".k output").textContent = slider.value;
    for (const button of this.buttons) button.setAttribute("aria-pressed", Number(button.value) === this.fold);
    this.points = pairs(data, column);
    this.bands = bandsOf(this.points);
    const all = { ...correlation(this.points), missing: data.names.length - this.points.length };
    const own = this.points.filter(({ fold }) => fold === this.fold);
    const chosen = this.fold === null ? null : { ...correlation(own), fold: this.fold };
    this.find(".correlation").textContent = correlationWords(column.name, all, chosen);
    fillBands(this.find(".means"), this.bands, column);
    fillVolumes(this.find(".volumes"), data, this.points, column);
    this.redraw();
  }

  redraw() {
    this.drawn = this.width;
    const banded = this.find(".bands").getAttribute("aria-pressed") === "true";
    this.find(".means").hidden = !banded;
    this.plot.show({
      points: this.points,
      label: this.column.long,
      bands: banded ? this.bands : null,
      fold: this.fold,
      width: this.drawn,
    });
    this.mark({});
  }

  /** Ring the volume that is pointed at, else the one that was chosen, and say what it is. */
  mark(settings) {
    Object.assign(this, settings);
    const volume = this.hovered ?? this.volume;
    const found = volume === null ? -1 : this.points.findIndex((point) => point.volume === volume);
    const place = found < 0 ? null : found;
    this.plot.mark(place);
    const tip = this.find(".tip");
    tip.hidden = place === null;
    if (place === null) return;
    tip.replaceChildren(...this.lines(this.points[place]).map((text) => make("div", "", text)));
    const [x, y] = this.plot.pixels(place);
    // To the side that has room, so that the point itself stays in sight.
    const left = x > this.drawn / 2 ? x - tip.offsetWidth - 14 : x + 14;
    tip.style.left = `${Math.max(0, Math.min(this.drawn - tip.offsetWidth, left))}px`;
    tip.style.top = `${Math.max(0, Math.min(this.plot.height - tip.offsetHeight, y - tip.offsetHeight / 2))}px`;
  }

  lines({ volume, x, y, fold }) {
    const { column, data } = this;
    const ratio = `RPR (k = ${this.k}) ${share(data.ratios[this.k - 1][volume])}`;
    const lines = [data.names[volume], foldName(fold), `Dice ${share(y)}`, ratio];
    return column.isRatio ? lines : [...lines, `${column.name}: ${short(x)}`];
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Escape") this.mark({ volume: null, hovered: null });
    else if (!this.walk(event.key)) return;
    event.preventDefault();
  }

  /** Go to another volume, of the chosen fold where there is one; false for a key that leads nowhere. */
  walk(name) {
    const axis = name === "ArrowUp" || name === "ArrowDown" ? "y" : "x";
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, Home: -Infinity, End: Infinity };
    if (!(name in steps)) return false;
    const row = this.points.filter(({ fold }) => this.fold === null || fold === this.fold);
    row.sort((a, b) => a[axis] - b[axis]);
    if (row.length === 0) return true;
    const now = row.findIndex(({ volume }) => volume === this.volume);
    const next = now < 0 && Number.isFinite(steps[name]) ? 0 : Math.min(row.length - 1, Math.max(0, now + steps[name]));
    this.mark({ volume: row[next].volume, hovered: null });
    this.find(".spoken").textContent = this.lines(row[next]).join(", ");
    return true;
  }
}

defineExplorer(ScatterExplorer);
