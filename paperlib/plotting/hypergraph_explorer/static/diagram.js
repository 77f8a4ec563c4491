// The Hasse diagram in SVG.

import { draw } from "../../explorers/static/element.js";
import { Motion } from "./motion.js";
import { key, layout, reached } from "./layout.js";
import { className, classWords, plural } from "./words.js";

const RADIUS = 17;

export class Diagram {
  /** `actions` has hover(place or null) and choose(place or null), of the places of classes in the cell shown. */
  constructor(picture, names, actions) {
    this.picture = picture;
    this.names = names;
    this.actions = actions;
    this.layers = ["rows", "lines", "vertices"].map((name) => draw(picture, "g", { class: name }));
    this.motion = new Motion((places) => this.paint(places));
    this.groups = new Map();
    picture.addEventListener("click", () => actions.choose(null));
  }

  show(cell, width) {
    this.cell = cell;
    this.plan = layout(cell, width);
    this.picture.setAttribute("viewBox", `0 0 ${width} ${this.plan.height}`);
    this.layers[0].replaceChildren();
    for (const { size, y } of this.plan.rows) {
      draw(this.layers[0], "text", { x: 4, y: y + 4 }, plural(size, "class", "classes"));
    }
    this.layers[2].replaceChildren();
    this.groups = new Map(this.plan.vertices.map((vertex) => [vertex.key, this.vertex(vertex.place)]));
    this.layers[1].replaceChildren();
    this.lines = cell.edges.map((edge, number) => {
      return { edge, way: this.plan.ways[number], line: draw(this.layers[1], "polyline") };
    });
    this.motion.go(this.plan.points);
  }

  vertex(place) {
    const [members] = this.cell.classes[place];
    const group = draw(this.layers[2], "g", { class: "vertex" });
    draw(group, "title", {}, classWords(this.names, this.cell.classes[place]));
    draw(group, "circle", { r: RADIUS + Math.min(8, 1.5 * (members.length - 1)) });
    draw(group, "text", { y: members.length > 1 ? 0 : 4 }, className([members]).slice(1, -1));
    if (members.length > 1) draw(group, "text", { class: "count", y: 12 }, `× ${members.length}`);
    group.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && this.actions.hover(place));
    group.addEventListener("pointerleave", () => this.actions.hover(null));
    group.addEventListener("click", (event) => {
      event.stopPropagation();
      this.actions.choose(place);
    });
    return group;
  }

  paint(places) {
    for (const [name, group] of this.groups) {
      const { x, y, alpha } = places.get(name);
      group.setAttribute("transform", `translate(${x} ${y})`);
      group.setAttribute("opacity", alpha);
    }
    for (const { way, line } of this.lines) {
      const points = way.map((name) => places.get(name));
      line.setAttribute("points", points.map(({ x, y }) => `${x},${y}`).join(" "));
      line.setAttribute("opacity", Math.min(...points.map(({ alpha }) => alpha)));
    }
  }

  /** Mark one class with all above and below it, or those in a hyperedge; null for either is none. */
  mark(place, hyperedge) {
    const { classes, edges } = this.cell;
    const kin = place === null ? null : new Set([place, ...reached(edges, place, true), ...reached(edges, place, false)]);
    const inside = (other) => {
      if (kin !== null) return kin.has(other);
      return hyperedge === null || classes[other][1].includes(hyperedge);
    };
    classes.forEach((one, other) => {
      const group = this.groups.get(key(one));
      group.classList.toggle("chosen", other === place);
      group.classList.toggle("dim", !inside(other));
    });
    for (const { edge, line } of this.lines) line.classList.toggle("dim", !edge.every(inside));
  }

  /** The place that an arrow key leads to: along the row, or to the nearest joined class above or below. */
  step(place, arrow) {
    const { vertices } = this.plan;
    const at = vertices.find((vertex) => vertex.place === place);
    if (at === undefined) return vertices[0]?.place ?? null;
    const nearest = (found) => {
      const sorted = [...found].sort((a, b) => Math.abs(a.x - at.x) - Math.abs(b.x - at.x));
      return sorted[0]?.place ?? place;
    };
    if (arrow === "ArrowLeft") return nearest(vertices.filter(({ x, y }) => y === at.y && x < at.x));
    if (arrow === "ArrowRight") return nearest(vertices.filter(({ x, y }) => y === at.y && x > at.x));
    const [from, to] = arrow === "ArrowUp" ? [1, 0] : [0, 1];
    const ends = this.cell.edges.filter((edge) => edge[from] === place).map((edge) => edge[to]);
    return nearest(vertices.filter((vertex) => ends.includes(vertex.place)));
  }
}
