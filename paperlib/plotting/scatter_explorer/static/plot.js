// The points with the distributions above and beside them, in SVG.

import { draw } from "../../explorers/static/element.js";
import { bins, scale, ticks } from "./scales.js";
import { form, kind } from "./marks.js";
import { written } from "./words.js";

const EDGE = { left: 54, right: 62, top: 52, bottom: 44 };
const REACH = 24;

export class Plot {
  constructor(picture) {
    this.picture = picture;
    const layers = ["grid", "limits", "bars", "points", "axes", "ring"];
    this.layers = Object.fromEntries(layers.map((name) => [name, draw(picture, "g", { class: name })]));
  }

  /** `points` as from pairs(); bands are drawn where they are given, and the rest is faint where a fold is. */
  show({ points, label, bands, fold, width }) {
    this.points = points;
    this.height = Math.round(Math.min(460, Math.max(300, 0.6 * width)));
    this.inner = { right: width - EDGE.right, bottom: this.height - EDGE.bottom };
    this.x = scale(points.map(({ x }) => x), EDGE.left, this.inner.right);
    this.y = scale(points.map(({ y }) => y), this.inner.bottom, EDGE.top);
    this.picture.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    for (const layer of Object.values(this.layers)) layer.replaceChildren();
    this.drawAxes(label, width);
    if (bands !== null) this.drawBands(bands);
    this.drawBars("x", fold);
    this.drawBars("y", fold);
    this.drawPoints(fold);
  }

  drawAxes(label, width) {
    const { grid, axes } = this.layers;
    const { right, bottom } = this.inner;
    const across = ticks(this.x, (width - EDGE.left - EDGE.right) / 80);
    for (const value of across.places) {
      const at = this.x.pixel(value);
      draw(grid, "line", { x1: at, x2: at, y1: EDGE.top, y2: bottom });
      draw(axes, "text", { class: "middle", x: at, y: bottom + 16 }, tickText(value, across.decimals));
    }
    const up = ticks(this.y, this.height / 70);
    for (const value of up.places) {
      const at = this.y.pixel(value);
      draw(grid, "line", { x1: EDGE.left, x2: right, y1: at, y2: at });
      draw(axes, "text", { class: "end", x: EDGE.left - 7, y: at + 4 }, tickText(value, up.decimals));
    }
    draw(axes, "line", { x1: EDGE.left, x2: right, y1: bottom, y2: bottom });
    draw(axes, "line", { x1: EDGE.left, x2: EDGE.left, y1: EDGE.top, y2: bottom });
    draw(axes, "text", { class: "middle name", x: (EDGE.left + right) / 2, y: this.height - 7 }, label);
    const middle = (EDGE.top + bottom) / 2;
    draw(axes, "text", { class: "middle name", transform: `translate(13 ${middle}) rotate(-90)` }, "Dice");
  }

  drawBands(bands) {
    const { limits } = this.layers;
    for (const { low } of bands.slice(1)) {
      const at = this.x.pixel(low);
      draw(limits, "line", { class: "limit", x1: at, x2: at, y1: EDGE.top, y2: this.inner.bottom });
    }
    for (const { low, high, mean } of bands.filter((band) => band.mean !== null)) {
      const at = this.y.pixel(mean);
      draw(limits, "line", { class: "mean", x1: this.x.pixel(low), x2: this.x.pixel(high), y1: at, y2: at });
    }
  }

  /** The distribution along an axis: of all volumes, and within it of the chosen fold. */
  drawBars(axis, fold) {
    const histogram = bins(this.points.map((point) => point[axis]));
    const heights = (points) => {
      const counts = new Array(histogram.count).fill(0);
      for (const point of points) counts[histogram.of(point[axis])] += 1;
      return counts;
    };
    const all = heights(this.points);
    const most = Math.max(...all);
    const room = (axis === "x" ? EDGE.top : EDGE.right) - 10;
    const bar = (count, place, name) => {
      const [from, to] = histogram.ends(place).map(this[axis].pixel);
      const [start, width] = [Math.min(from, to) + 0.5, Math.max(1, Math.abs(to - from) - 1)];
      const length = (room * count) / most;
      const box = axis === "x"
        ? { x: start, y: EDGE.top - 4 - length, width, height: length }
        : { x: this.inner.right + 4, y: start, width: length, height: width };
      draw(this.layers.bars, "rect", { class: name, ...box });
    };
    all.forEach((count, place) => bar(count, place, "all"));
    if (fold === null) return;
    const own = heights(this.points.filter((point) => point.fold === fold));
    own.forEach((count, place) => bar(count, place, kind(fold)));
  }

  drawPoints(fold) {
    const mark = (point) => {
      const faint = fold !== null && point.fold !== fold ? " faint" : "";
      draw(this.layers.points, "path", {
        class: `${kind(point.fold)}${faint}`,
        d: form(point.fold),
        transform: this.place(point),
      });
    };
    // A chosen fold lies above the others.
    this.points.filter((point) => point.fold !== fold).forEach(mark);
    this.points.filter((point) => point.fold === fold).forEach(mark);
  }

  place({ x, y }) {
    return `translate(${this.x.pixel(x)} ${this.y.pixel(y)})`;
  }

  /** A ring around the point at this place among the points, or none for null. */
  mark(place) {
    this.layers.ring.replaceChildren();
    if (place === null) return;
    draw(this.layers.ring, "circle", { r: 8, transform: this.place(this.points[place]) });
  }

  /** Pixels of a point within the drawing. */
  pixels(place) {
    const { x, y } = this.points[place];
    return [this.x.pixel(x), this.y.pixel(y)];
  }

  /** The place of the point that is nearest to a pixel, among those of a fold where one is given; null far away. */
  nearest(x, y, fold) {
    let [found, least] = [null, REACH];
    this.points.forEach((point, place) => {
      const [a, b] = this.pixels(place);
      const distance = Math.hypot(a - x, b - y);
      if (distance >= least || (fold !== null && point.fold !== fold)) return;
      [found, least] = [place, distance];
    });
    return found;
  }
}

function tickText(value, decimals) {
  return written(value, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
