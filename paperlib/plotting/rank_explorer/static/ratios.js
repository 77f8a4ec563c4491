// RPR and LPR against k, with the rank that is shown.

import { draw } from "../../explorers/static/element.js";

const AREA = { left: 34, top: 10, width: 320, height: 150, below: 34 };
const CURVES = [
  { name: "RPR", values: "rpr", kind: "right" },
  { name: "LPR", values: "lpr", kind: "left" },
];

export function drawRatios(picture, view, rank) {
  picture.replaceChildren();
  const { left, top, width, height, below } = AREA;
  picture.setAttribute("viewBox", `0 0 ${left + width + 34} ${top + height + below}`);
  const last = view.rpr.length - 1;
  const x = (place) => left + 8 + ((width - 16) * place) / Math.max(1, last);
  const y = (value) => top + height * (1 - value);
  for (const tick of [0, 0.5, 1]) {
    draw(picture, "line", { class: "grid", x1: left, x2: left + width, y1: y(tick), y2: y(tick) });
    draw(picture, "text", { class: "tick", x: left - 5, y: y(tick) + 3.5 }, String(tick));
  }
  draw(picture, "line", { class: "now", x1: x(rank), x2: x(rank), y1: top, y2: top + height });
  view.rpr.forEach((_, place) => {
    draw(picture, "text", { class: place === rank ? "class now" : "class", x: x(place), y: top + height + 15 }, String(place + 1));
  });
  draw(picture, "text", { class: "class", x: left + width / 2, y: top + height + 30 }, "rank k");
  const ends = CURVES.map(({ values }) => y(view[values][last]));
  for (const { name, values, kind } of CURVES) {
    const points = view[values].map((value, place) => `${x(place)} ${y(value)}`);
    draw(picture, "polyline", { class: kind, points: points.join(", ") });
    view[values].forEach((value, place) => drawMark(picture, kind, x(place), y(value), place === rank));
    // Names at the curves' ends, apart where the ends are not.
    const moved = Math.abs(ends[0] - ends[1]) < 14 ? (kind === "left" ? -7 : 7) : 0;
    draw(picture, "text", { class: `name ${kind}`, x: left + width + 2, y: y(view[values][last]) + 4 + moved }, name);
  }
}

/** Dots for the one ratio, squares for the other; larger where k is. */
function drawMark(picture, kind, x, y, now) {
  const r = now ? 5.5 : 3;
  if (kind === "right") draw(picture, "circle", { class: `mark ${kind}`, cx: x, cy: y, r });
  else draw(picture, "rect", { class: `mark ${kind}`, x: x - r, y: y - r, width: 2 * r, height: 2 * r });
}
