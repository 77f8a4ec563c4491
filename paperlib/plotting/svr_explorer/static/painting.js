// Drawing on the two canvases: the graph below, and above it what pointer and keyboard point at.

import { mixed } from "./colours.js";

const INTENSITIES = 16;
const FONT = "12px system-ui, sans-serif";

/** Make a canvas fill `width` by `height` CSS pixels at the screen's own resolution, empty; returns its context. */
export function prepared(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  // Setting a size, even the same one, throws the canvas's memory away: only where it has changed.
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Axes, edges and vertices of one moment; `scene` is what `explorer.js` keeps. */
export function paintGraph(context, scene) {
  const { frame, colours } = scene;
  context.fillStyle = colours.page;
  context.fillRect(0, 0, frame.width, frame.height);
  paintValueAxis(context, scene);
  paintLayerNames(context, scene);
  clipped(context, frame, () => {
    paintEdges(context, scene);
    paintVertices(context, scene);
  });
}

function clipped(context, frame, paint) {
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
  context.clip();
  paint();
  context.restore();
}

function paintValueAxis(context, { frame, view, axis, colours }) {
  context.font = FONT;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  context.strokeStyle = colours.grid;
  context.fillStyle = colours.muted;
  for (const value of axis.ticks(view.bottom, view.bottom + view.width)) {
    const y = Math.round(frame.y(axis.place(value), view)) + 0.5;
    line(context, frame.left, y, frame.right, y);
    context.fillText(shortNumber(value), frame.left - 6, y);
  }
  context.save();
  context.translate(10, (frame.top + frame.bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText("singular value", 0, 0);
  context.restore();
}

/** Names side by side where they fit, else slanted, less those too close to another to be read. */
function paintLayerNames(context, { frame, view, moment, colours }) {
  const order = [...moment.layers].sort((one, other) => one.place - other.place);
  const slanted = slantedNames(context, moment, (frame.right - frame.left) / view.width);
  let last = -Infinity;
  context.strokeStyle = colours.grid;
  context.fillStyle = colours.ink;
  context.font = FONT;
  context.textAlign = slanted ? "right" : "center";
  context.textBaseline = slanted ? "middle" : "top";
  for (const layer of order) {
    const x = frame.x(layer.place, view);
    if (x < frame.left - 1 || x > frame.right + 1) continue;
    line(context, x, frame.top, x, frame.bottom);
    if (x - last < 13) continue;
    last = x;
    context.save();
    context.translate(x, frame.bottom + 8);
    if (slanted) context.rotate(-Math.PI / 3.4);
    context.fillText(layer.name, 0, 0);
    context.restore();
  }
}

/** Whether the longest name is wider than the least gap between layers where the whole drawing has `width` pixels. */
function slantedNames(context, moment, width) {
  const places = moment.layers.map((layer) => layer.place).sort((one, other) => one - other);
  const gap = Math.min(1, ...places.slice(1).map((place, number) => place - places[number]));
  return longestName(context, moment) + 10 > gap * width;
}

function longestName(context, moment) {
  context.font = FONT;
  return Math.max(...moment.layers.map((layer) => context.measureText(layer.name).width));
}

/** Room for the layers' names below a drawing that is `width` pixels wide and not zoomed. */
export function roomForNames(context, moment, width) {
  return slantedNames(context, moment, width) ? Math.ceil(longestName(context, moment) * 0.8) + 22 : 28;
}

function paintEdges(context, { frame, moment, pixels, threshold, colours, raster }) {
  const { from, to, significance, share, count } = moment.edges;
  const ratio = raster.width / (frame.right - frame.left);
  const { x, y } = pixels;
  raster.clear();
  for (let edge = 0; edge < count; edge += 1) {
    if (significance[edge] < threshold) continue;
    const [a, b] = [from[edge], to[edge]];
    if (outside(x[a], x[b], frame.left, frame.right) || outside(y[a], y[b], frame.top, frame.bottom)) continue;
    raster.line(
      (x[a] - frame.left) * ratio,
      (y[a] - frame.top) * ratio,
      (x[b] - frame.left) * ratio,
      (y[b] - frame.top) * ratio,
      share[edge],
      (0.7 + 1.5 * share[edge]) * ratio,
    );
  }
  const width = frame.right - frame.left;
  context.drawImage(raster.painted(colours.edges), frame.left, frame.top, width, raster.height / ratio);
}

function outside(a, b, low, high) {
  return (a < low && b < low) || (a > high && b > high);
}

/** Radius that leaves the vertices of the fullest layer apart as far as it can. */
function vertexRadius(moment, view, frame) {
  const fullest = Math.max(...moment.layers.map((layer) => layer.count));
  const room = (frame.bottom - frame.top) / fullest / 1.6;
  return Math.min(9, Math.max(2, Math.min(5, room)) * Math.sqrt(1 / view.width));
}

function paintVertices(context, { frame, view, moment, pixels, colours }) {
  const radius = vertexRadius(moment, view, frame);
  const reach = radius + 2;
  const discs = new Map();
  const { x, y } = pixels;
  for (const layer of moment.layers) {
    if (x[layer.start] < frame.left - reach || x[layer.start] > frame.right + reach) continue;
    // Backwards, so that the larger singular values lie on top.
    for (const vertex of distinct(layer, y, frame.top - reach, frame.bottom + reach).reverse()) {
      const level = Math.round((moment.intensities[vertex] / 255) * (INTENSITIES - 1));
      const key = layer.kind + level;
      if (!discs.has(key)) discs.set(key, disc(colours[layer.kind], level / (INTENSITIES - 1), radius));
      context.drawImage(discs.get(key), x[vertex] - reach, y[vertex] - reach, 2 * reach, 2 * reach);
    }
  }
}

/** Vertices of a layer between two heights, less those that a larger one hides but for a fraction of a pixel. */
function distinct(layer, y, top, bottom) {
  const found = [];
  let last = -Infinity;
  for (let vertex = layer.start; vertex < layer.start + layer.count; vertex += 1) {
    if (y[vertex] < top || y[vertex] > bottom || y[vertex] - last < 0.4) continue;
    found.push(vertex);
    last = y[vertex];
  }
  return found;
}

/** A vertex as a small picture: copying it is many times faster than an arc for each of thousands. */
function disc([pale, full, rim], share, radius) {
  const canvas = document.createElement("canvas");
  const size = 2 * (radius + 2);
  const context = prepared(canvas, size, size);
  circle(context, size / 2, size / 2, radius);
  context.fillStyle = mixed([pale, full], share);
  context.fill();
  context.strokeStyle = rim;
  context.lineWidth = Math.min(1, radius / 3);
  context.stroke();
  return canvas;
}

/** The highlighted path, then the vertex in focus with its edges; `focus` null or {vertex, edges}. */
export function paintHighlights(context, scene, path, focus) {
  const { frame, colours } = scene;
  clipped(context, frame, () => {
    if (path !== null) {
      context.fillStyle = colours.veil;
      context.fillRect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
      paintMarked(context, scene, path.edges, path.vertices, 2.6);
    }
    if (focus !== null) paintMarked(context, scene, focus.edges, [focus.vertex], 2);
  });
}

function paintMarked(context, { frame, view, moment, pixels, colours }, edges, vertices, width) {
  context.strokeStyle = colours.accent;
  context.lineWidth = width;
  context.beginPath();
  for (const edge of edges) {
    context.moveTo(pixels.x[moment.edges.from[edge]], pixels.y[moment.edges.from[edge]]);
    context.lineTo(pixels.x[moment.edges.to[edge]], pixels.y[moment.edges.to[edge]]);
  }
  context.stroke();
  const radius = vertexRadius(moment, view, frame) + 2;
  for (const vertex of vertices) {
    const layer = moment.layers[moment.layerOf[vertex]];
    circle(context, pixels.x[vertex], pixels.y[vertex], radius);
    context.fillStyle = mixed(colours[layer.kind], moment.intensities[vertex] / 255);
    context.fill();
    context.lineWidth = 2;
    context.stroke();
  }
}

function circle(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}

function line(context, x0, y0, x1, y1) {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

function shortNumber(value) {
  if (value === 0) return "0";
  return value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(6))) : value.toExponential(0);
}
