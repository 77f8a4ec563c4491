// Numbers in cells, and arrows with weights between those of one sum.

import { draw } from "../../explorers/static/element.js";
import { number } from "./words.js";

const CELL = 40;
const GAP = 74;
const EDGE = 14;
// Above an image, or at the left of a signal.
const TITLE = { above: 20, left: 38 };

/**
 * Draw the inputs, the outputs and the arrows of a step. Of the results those up to this step are written; `choose` is
 * called with the place of a result that is clicked.
 */
export function drawArrows(picture, shown, step, choose) {
  picture.replaceChildren();
  const places = arrangement(shown);
  picture.setAttribute("viewBox", `0 0 ${places.width} ${places.height}`);
  picture.style.maxWidth = `${places.width}px`;
  const [cells, lines, texts] = ["cells", "lines", "texts"].map((name) => draw(picture, "g", { class: name }));
  const layers = { cells, lines, texts };
  const { forward } = step;
  const used = new Map(step.terms.map((term) => [term.place, term]));
  drawPadding(layers, places, shown);
  const draws = (vector, at, name, isResult) => {
    const title = places.flat ? { x: TITLE.left / 2, y: at(0).y + 5 } : { x: at(0).x, y: places.title };
    draw(texts, "text", { class: "title", ...title }, name);
    vector.values.forEach((value, place) => {
      const state = isResult ? resultState(step, place) : sourceState(used.get(place));
      const cell = drawCell(layers, at(place), value, state);
      if (isResult) cell.addEventListener("click", () => choose(place));
    });
  };
  draws(forward ? shown.v : shown.backward, places.input, forward ? "v" : "Aᵀz", !forward);
  draws(forward ? shown.forward : shown.z, places.output, forward ? "Av" : "z", forward);
  const [from, to] = forward ? [places.input, places.output] : [places.output, places.input];
  // Between images there is room for those of one sum alone.
  if (places.flat) drawFaint(layers, shown.taps, places);
  for (const term of step.terms) drawArrow(layers, from(term.place), to(step.place), places.flat);
}

/** Where cells stand: a signal above its outputs, an image at the left of its outputs. */
function arrangement({ v, z, kernel, stride, padding }) {
  const flat = v.rows === 1;
  // Of a signal each output stands below the middle of what it is computed from.
  const spread = flat ? stride : 1;
  const shift = flat ? padding - (kernel.columns - 1) / 2 : 0;
  const above = flat ? 0 : padding;
  const left = (flat ? TITLE.left : EDGE) + CELL / 2 + padding * CELL;
  const head = EDGE / 2 + (flat ? 0 : TITLE.above);
  const top = head + CELL / 2 + above * CELL;
  const input = (place) => ({
    x: left + CELL * (place % v.columns),
    y: top + CELL * Math.floor(place / v.columns),
  });
  const rows = v.rows + 2 * above;
  const columns = v.columns + 2 * padding;
  const start = flat
    ? { x: left - CELL * shift, y: top + CELL + GAP }
    : { x: EDGE + CELL / 2 + columns * CELL + GAP, y: head + CELL / 2 + ((rows - z.rows) * CELL) / 2 };
  const output = (place) => ({
    x: start.x + CELL * spread * (place % z.columns),
    y: start.y + CELL * Math.floor(place / z.columns),
  });
  return {
    flat,
    input,
    output,
    above,
    title: TITLE.above - 4,
    width: EDGE + CELL * columns + (flat ? TITLE.left : EDGE + GAP + CELL * z.columns),
    height: head + EDGE / 2 + CELL * (flat ? 2 : rows) + (flat ? GAP : 0),
  };
}

/** The zeros around the input, which no column of the matrix belongs to. */
function drawPadding({ cells, texts }, { input, above }, { v, padding }) {
  const origin = input(0);
  for (let row = -above; row < v.rows + above; row += 1) {
    for (let column = -padding; column < v.columns + padding; column += 1) {
      const inside = row >= 0 && row < v.rows && column >= 0 && column < v.columns;
      const [x, y] = [origin.x + CELL * column, origin.y + CELL * row];
      if (inside) continue;
      draw(cells, "rect", { class: "cell padding", ...square(x, y) });
      draw(texts, "text", { class: "value padding", x, y: y + 5 }, "0");
    }
  }
}

function sourceState(term) {
  return term === undefined ? { kind: "", written: true } : { kind: "used", written: true, weight: term.weight };
}

function resultState({ place: current }, place) {
  return { kind: place === current ? "current" : "result", written: place <= current };
}

function drawCell({ cells, texts }, { x, y }, value, { kind, written, weight }) {
  const cell = draw(cells, "rect", { class: `cell ${kind}`, ...square(x, y) });
  if (written) draw(texts, "text", { class: `value ${kind}`, x, y: y + (weight === undefined ? 5 : 0) }, number(value));
  if (weight !== undefined) draw(texts, "text", { class: "weight", x, y: y + 14 }, `× ${number(weight)}`);
  return cell;
}

function square(x, y) {
  return { x: x - CELL / 2 + 2, y: y - CELL / 2 + 2, width: CELL - 4, height: CELL - 4, rx: 5 };
}

function drawFaint({ lines }, taps, { input, output }) {
  taps.forEach((line, row) => {
    line.forEach((tap, column) => {
      if (tap < 0) return;
      const [from, to] = [input(column), output(row)];
      draw(lines, "line", { class: "faint", x1: from.x, y1: from.y + CELL / 2, x2: to.x, y2: to.y - CELL / 2 });
    });
  });
}

function drawArrow({ lines }, from, to, flat) {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const way = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  // From edge to edge of the cells; between images the line passes below the numbers on its way.
  const reach = CELL / 2 / Math.max(Math.abs(way.x), Math.abs(way.y));
  const [start, end] = [
    { x: from.x + way.x * reach, y: from.y + way.y * reach },
    { x: to.x - way.x * reach, y: to.y - way.y * reach },
  ];
  draw(lines, "line", { class: flat ? "arrow" : "arrow thin", x1: start.x, y1: start.y, x2: end.x, y2: end.y });
  const corner = (side) => `${end.x - 9 * way.x - side * 4.5 * way.y} ${end.y - 9 * way.y + side * 4.5 * way.x}`;
  draw(lines, "polygon", { class: "head", points: `${end.x} ${end.y}, ${corner(1)}, ${corner(-1)}` });
}
