// The custom element: a matrix and a point on the circle, and everything that follows from them.

import { defineExplorer, ExplorerElement, make } from "../../explorers/static/element.js";
import { applied, bases, dot, unit } from "./svd.js";
import { degrees, number, pair, subscripted, summary } from "./words.js";
import { circle, drawPlane, drawStretch, halfSide, plane } from "./panels.js";
import { listenToHandle } from "./handles.js";

const LARGEST = 6;
const TURN = Math.PI / 36;
const STEP = 0.1;

class CircleExplorer extends ExplorerElement {
  build(root, data) {
    this.find = (selector) => root.querySelector(selector);
    this.presets = data.presets;
    this.basis = "singular";
    this.angle = data.angle;
    this.inputs = [...root.querySelectorAll(".matrix input")];
    this.inputs.forEach((input, place) => input.addEventListener("input", () => this.typed(input, place)));
    this.buildPresets();
    for (const button of root.querySelectorAll(".bases button")) {
      button.addEventListener("click", () => this.change({ basis: button.value }));
    }
    this.buildHandles();
    this.choose(0);
  }

  buildPresets() {
    const list = this.find(".presets");
    list.append(...this.presets.map(({ name }) => make("option", "", name)));
    list.addEventListener("change", () => this.choose(list.selectedIndex));
  }

  buildHandles() {
    const point = this.find(".handle.point");
    listenToHandle(point, {
      drag: (x, y) => {
        const [a, b] = plane(1.35).point(x, y);
        this.change({ angle: Math.atan2(b, a) });
      },
      key: (dx, dy) => this.change({ angle: this.angle + (dy || -dx) * TURN }),
      done: () => {},
    });
    [0, 1].forEach((column) => {
      listenToHandle(this.find(`.handle.column${column}`), {
        drag: (x, y) => this.setColumn(column, this.image.point(x, y), 0.05),
        key: (dx, dy) => {
          const [x, y] = this.matrix.map((row) => row[column]);
          this.setColumn(column, [x + STEP * dx, y + STEP * dy], STEP / 2);
        },
        done: () => this.change({ image: null }),
      });
    });
  }

  choose(place) {
    this.find(".presets").selectedIndex = place;
    this.image = null;
    this.change({ matrix: this.presets[place].matrix });
    this.writeEntries();
  }

  typed(input, place) {
    const value = input.valueAsNumber;
    if (!Number.isFinite(value) || Math.abs(value) > LARGEST) return;
    this.image = null;
    this.change({ matrix: this.changed(Math.floor(place / 2), place % 2, value) });
  }

  setColumn(column, ends, grain) {
    const [first, second] = ends.map((end) => Math.min(LARGEST, Math.max(-LARGEST, Math.round(end / grain) * grain)));
    this.matrix = this.changed(0, column, first);
    this.change({ matrix: this.changed(1, column, second) });
    this.writeEntries();
  }

  changed(row, column, value) {
    return this.matrix.map((line, i) => line.map((old, j) => (i === row && j === column ? value : old)));
  }

  writeEntries() {
    this.inputs.forEach((input, place) => {
      input.value = String(Math.round(this.matrix[Math.floor(place / 2)][place % 2] * 100) / 100);
    });
  }

  change(settings) {
    Object.assign(this, settings);
    const found = bases(this.matrix);
    // While a column is dragged the scale stays: the point would run away from the finger.
    this.image ??= plane(halfSide(found.values[0]));
    for (const button of this.shadowRoot.querySelectorAll(".bases button")) {
      button.setAttribute("aria-pressed", button.value === this.basis);
    }
    this.drawPlanes(found);
    drawStretch(this.find(".stretch"), this.matrix, found, this.angle);
    this.placeHandles();
    const x = unit(this.angle);
    this.find(".numbers").textContent = summary(found, Math.hypot(...applied(this.matrix, x)));
    this.fillTable(found, x);
  }

  drawPlanes(found) {
    const vectors = found[this.basis];
    const x = unit(this.angle);
    const length = (vector) => (this.basis === "axes" ? 1 : dot(applied(this.matrix, vector.from), vector.to));
    const before = vectors.map((one) => ({ name: one.reads, direction: one.from, length: 1 }));
    const after = vectors.map((one, index) => ({
      name: this.basis === "axes" ? one.writes : `s${index}u${index}`,
      direction: one.to,
      length: length(one),
    }));
    drawPlane(this.find(".before g"), plane(1.35), { curve: circle(), vectors: before, point: x, name: "x" });
    const image = applied(this.matrix, x);
    drawPlane(this.find(".after g"), this.image, {
      curve: circle(this.matrix), vectors: after, point: image, name: "Wx",
    });
  }

  placeHandles() {
    const place = (handle, [cx, cy]) => {
      handle.setAttribute("cx", cx);
      handle.setAttribute("cy", cy);
    };
    const point = this.find(".handle.point");
    place(point, plane(1.35).pixel(unit(this.angle)));
    const turned = ((degrees(this.angle) % 360) + 360) % 360;
    point.setAttribute("aria-valuenow", turned);
    point.setAttribute("aria-valuetext", `${turned} degrees`);
    [0, 1].forEach((column) => {
      const handle = this.find(`.handle.column${column}`);
      const image = this.matrix.map((row) => row[column]);
      place(handle, this.image.pixel(image));
      handle.setAttribute("aria-label", `Column ${column} of W, ${pair(image)}; arrow keys move it`);
    });
  }

  fillTable(found, x) {
    const image = applied(this.matrix, x);
    const rows = [...found.axes, ...found.singular].map(({ reads, writes, from, to }) => {
      const [before, after] = [dot(x, from), dot(image, to)];
      const ratio = Math.abs(before) < 5e-3 ? "–" : number(after / before);
      const row = make("tr");
      const direction = subscripted(reads === writes ? reads : `${reads} → ${writes}`);
      row.append(...[direction, number(before), number(after), ratio].map((text) => make("td", "", text)));
      return row;
    });
    this.find("tbody").replaceChildren(...rows);
  }
}

defineExplorer(CircleExplorer);
