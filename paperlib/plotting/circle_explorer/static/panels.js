// The circle, its image, and the stretch as a curve, in SVG. Drawings have y upwards: pixels are made last.

import { draw } from "../../explorers/static/element.js";
import { applied, dot, unit } from "./svd.js";
import { degrees, number, subscripted } from "./words.js";

const SIZE = 300;
const CIRCLE = Array.from({ length: 181 }, (_, i) => unit((i * Math.PI) / 90));
const HALF_SIDES = [1.35, 2, 3, 4, 6, 8];

/** Half the side of the panel that shows an image whose longest half-axis is s0: a few sizes, so that it rests. */
export function halfSide(s0) {
  return HALF_SIDES.find((half) => half >= 1.12 * s0) ?? HALF_SIDES.at(-1);
}

/** The way between coordinates of a plane, `half` to each side of the origin, and pixels of a panel. */
export function plane(half) {
  const scale = SIZE / 2 / half;
  return {
    half,
    pixel: ([x, y]) => [SIZE / 2 + scale * x, SIZE / 2 - scale * y],
    point: (x, y) => [(x - SIZE / 2) / scale, (SIZE / 2 - y) / scale],
  };
}

/** Draw a curve through the images of the circle, the basis, and a vector with its projections on the basis. */
export function drawPlane(layer, at, { curve, vectors, point, name }) {
  layer.replaceChildren();
  drawGrid(layer, at);
  draw(layer, "polygon", { class: "curve", points: curve.map((one) => at.pixel(one).join(" ")).join(", ") });
  vectors.forEach((vector, index) => drawProjection(layer, at, vector, point, index));
  drawArrow(layer, at, point, "point");
  label(layer, at, point, name, "point");
}

export function circle(matrix = null) {
  return matrix === null ? CIRCLE : CIRCLE.map((one) => applied(matrix, one));
}

function drawGrid(layer, at) {
  const step = at.half > 3 ? 2 : 1;
  for (let place = step * Math.ceil(-at.half / step); place <= at.half; place += step) {
    const kind = place === 0 ? "axis" : "grid";
    const ends = [[place, -at.half], [place, at.half], [-at.half, place], [at.half, place]].map(at.pixel);
    line(layer, ends[0], ends[1], kind);
    line(layer, ends[2], ends[3], kind);
    if (place === 0) continue;
    const [x, y] = at.pixel([place, 0]);
    draw(layer, "text", { class: "tick", x: x + 3, y: y - 3 }, String(place));
  }
}

function drawProjection(layer, at, { name, direction, length }, point, index) {
  const along = dot(point, direction);
  const foot = direction.map((part) => part * along);
  const end = direction.map((part) => part * length);
  line(layer, at.pixel(point), at.pixel(foot), `drop side${index}`);
  line(layer, at.pixel([0, 0]), at.pixel(foot), `part side${index}`);
  if (length > 0.03 * at.half) drawArrow(layer, at, end, `side${index}`);
  label(layer, at, length > 0.03 * at.half ? end : direction.map((part) => part * 0.06 * at.half), name, `side${index}`);
}

function drawArrow(layer, at, end, kind) {
  const [[x0, y0], [x1, y1]] = [at.pixel([0, 0]), at.pixel(end)];
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 1) return;
  const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
  const head = Math.min(9, length);
  const corner = (side) => `${x1 - head * dx + side * 4 * dy} ${y1 - head * dy - side * 4 * dx}`;
  line(layer, [x0, y0], [x1 - 0.8 * head * dx, y1 - 0.8 * head * dy], `arrow ${kind}`);
  draw(layer, "polygon", { class: `head ${kind}`, points: `${x1} ${y1}, ${corner(1)}, ${corner(-1)}` });
}

function label(layer, at, end, name, kind) {
  const [x, y] = at.pixel(end);
  const [x0, y0] = at.pixel([0, 0]);
  const length = Math.hypot(x - x0, y - y0) || 1;
  const place = (value, away) => Math.min(SIZE - 14, Math.max(14, value + ((kind === "point" ? 24 : 15) * away) / length));
  draw(layer, "text", { class: `name ${kind}`, x: place(x, x - x0), y: place(y, y - y0) + 4 }, subscripted(name));
}

function line(layer, [x1, y1], [x2, y2], kind) {
  draw(layer, "line", { class: kind, x1, y1, x2, y2 });
}

/** |Wx| against the angle of x over half a turn, where the two bases lie, and x itself. */
export function drawStretch(layer, matrix, found, angle) {
  layer.replaceChildren();
  const [left, bottom, width, height] = [34, 118, 545, 100];
  const top = Math.max(1e-9, 1.15 * found.values[0]);
  const x = (at) => left + (width * at) / Math.PI;
  const y = (value) => bottom - (height * value) / top;
  const stretch = (at) => Math.hypot(...applied(matrix, unit(at)));
  line(layer, [left, bottom], [left + width, bottom], "axis");
  found.values.forEach((value, index) => {
    line(layer, [left, y(value)], [left + width, y(value)], `drop side${index}`);
    // Where the two are close, one name would cover the other.
    const moved = index === 1 && y(value) - y(found.values[0]) < 12 ? 10 : 4;
    draw(layer, "text", { class: `name side${index}`, x: left - 16, y: y(value) + moved }, subscripted(`s${index}`));
  });
  for (const quarter of [0, 45, 90, 135, 180]) {
    draw(layer, "text", { class: "tick middle", x: x((quarter * Math.PI) / 180), y: bottom + 15 }, `${quarter}°`);
  }
  const points = Array.from({ length: 181 }, (_, i) => (i * Math.PI) / 180).map((at) => `${x(at)} ${y(stretch(at))}`);
  draw(layer, "polyline", { class: "curve", points: points.join(", ") });
  found.singular.forEach(({ reads, from }, index) => {
    const at = half(Math.atan2(from[1], from[0]));
    draw(layer, "circle", { class: `dot side${index}`, cx: x(at), cy: y(stretch(at)), r: 4 });
    draw(layer, "text", { class: `name side${index}`, x: x(at), y: y(stretch(at)) - 8 }, subscripted(reads));
  });
  const at = half(angle);
  draw(layer, "circle", { class: "dot point", cx: x(at), cy: y(stretch(at)), r: 5 });
  draw(layer, "title", {}, `Stretch against the angle; ${number(stretch(angle))} at ${degrees(angle)}°`);
}

/** The same direction or its opposite at an angle of 0 to half a turn: both are stretched alike. */
function half(angle) {
  return ((angle % Math.PI) + Math.PI) % Math.PI;
}
