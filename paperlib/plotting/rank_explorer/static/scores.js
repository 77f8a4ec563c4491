// The scores of the classes: bars of the rank-k network beside outlines of the network itself.

import { draw } from "../../explorers/static/element.js";
import { short } from "./words.js";

const SIZE = { left: 34, top: 10, width: 360, height: 150, below: 34 };
const TICKS = 6;

/** One scale for all ranks of a view, so that a bar that grows has grown. */
export function drawScores(picture, view, rank, label) {
  picture.replaceChildren();
  const { left, top, width, height, below } = SIZE;
  picture.setAttribute("viewBox", `0 0 ${left + width} ${top + height + below}`);
  const all = [0, ...view.full, ...view.scores.flat()];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const y = (value) => top + (height * (high - value)) / (high - low || 1);
  for (const tick of ticks(low, high)) {
    draw(picture, "line", { class: "grid", x1: left, x2: left + width, y1: y(tick), y2: y(tick) });
    draw(picture, "text", { class: "tick", x: left - 5, y: y(tick) + 3.5 }, short(tick));
  }
  const step = width / view.full.length;
  const bar = (place, shift, value, kind) => {
    const [upper, lower] = [y(Math.max(0, value)), y(Math.min(0, value))];
    const x = left + step * (place + 0.5) + shift * step;
    draw(picture, "rect", { class: kind, x, y: upper, width: 0.36 * step, height: lower - upper });
  };
  view.full.forEach((score, place) => {
    bar(place, -0.38, view.scores[rank][place], place === view.classes[rank] ? "truncated best" : "truncated");
    bar(place, 0.02, score, place === view.fullClass ? "full best" : "full");
    drawClass(picture, place, left + step * (place + 0.5), view.classes[rank], label);
  });
  draw(picture, "line", { class: "axis", x1: left, x2: left + width, y1: y(0), y2: y(0) });
}

/** The name of a class: framed if it is the image's, with a triangle if the rank-k network says it. */
function drawClass(picture, place, x, said, label) {
  const y = SIZE.top + SIZE.height + 15;
  if (place === label) draw(picture, "rect", { class: "label", x: x - 9, y: y - 12, width: 18, height: 16, rx: 3 });
  draw(picture, "text", { class: "class", x, y }, String(place));
  if (place === said) draw(picture, "polygon", { class: "said", points: `${x} ${y + 6}, ${x - 6} ${y + 15}, ${x + 6} ${y + 15}` });
}

/** Round numbers between two, some of them. */
function ticks(low, high) {
  const rough = (high - low || 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) found.push(tick);
  return found;
}
