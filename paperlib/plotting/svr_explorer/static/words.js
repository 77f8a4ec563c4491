// What the explorer says: texts of vertices, edges, paths and counts, for the eye and for screen readers alike.

import { edgesAt, otherEnd } from "./paths.js";

const KINDS = { convolution: "convolution", fully_connected: "fully connected" };
const NEIGHBOURS = 3;

/** "features.3 #0": a layer and the index of one of its spectral neurons. */
export function vertexName(moment, vertex) {
  const layer = moment.layers[moment.layerOf[vertex]];
  return `${layer.name} #${vertex - layer.start}`;
}

/** Lines about a vertex: its name, its layer, its numbers, and its strongest neighbours on either side. */
export function vertexLines(moment, vertex, threshold) {
  const layer = moment.layers[moment.layerOf[vertex]];
  const name = layer.path === layer.name ? "" : `${layer.path}, `;
  return [
    vertexName(moment, vertex),
    `${name}${KINDS[layer.kind]} ${layer.shape}${layer.side === "co_svr" ? ", co-SVR" : ""}`,
    `singular value ${short(moment.values[vertex])}, intensity ${(moment.intensities[vertex] / 255).toFixed(2)}`,
    neighbours(moment, vertex, "before", threshold),
    neighbours(moment, vertex, "after", threshold),
  ].filter((words) => words !== null);
}

function neighbours(moment, vertex, side, threshold) {
  const layer = moment.layerOf[vertex];
  const end = side === "before" ? "later" : "earlier";
  if (!moment.connections.some((connection) => connection[end] === layer)) return null;
  const edges = edgesAt(moment, vertex, side, threshold);
  if (edges.length === 0) return `no edges ${side}`;
  const best = edges.slice(0, NEIGHBOURS).map((edge) => {
    return `${vertexName(moment, otherEnd(moment, edge, side))} (${short(moment.edges.coefficient[edge])})`;
  });
  return `${count(edges.length, "edge")} ${side}: ${best.join(", ")}${edges.length > NEIGHBOURS ? ", …" : ""}`;
}

export function pathWords(moment, vertex, edges) {
  if (edges.length === 0) return `No edge at ${vertexName(moment, vertex)} reaches this p-value.`;
  const steps = edges.map((edge) => {
    return ` –${short(moment.edges.coefficient[edge])}→ ${vertexName(moment, moment.edges.to[edge])}`;
  });
  const start = vertexName(moment, moment.edges.from[edges[0]]);
  return `Strongest chain through ${vertexName(moment, vertex)}: ${start}${steps.join("")}`;
}

export function countWords(moment, { shown, cut, chance }, threshold) {
  const kept = cut ? ` (of each two layers the ${moment.most} strongest)` : "";
  // The graphs may have been cut at different p-values; none has edges beyond its own.
  const all = `p ≤ ${short(Math.min(moment.cut, 10 ** -threshold))}: ${count(shown, "edge")} shown`;
  return `${all}${kept}; chance alone would give ${whole(chance)}`;
}

export function short(value) {
  if (value === 0) return "0";
  return value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function whole(number) {
  return number < 10 ? short(number) : Math.round(number).toLocaleString("en");
}
