// The strongest edges as a table: the same information without a drawing.

import { make } from "../../explorers/static/element.js";
import { strongestEdges } from "./paths.js";
import { short, vertexName } from "./words.js";

const ROWS = 25;

/** Fill the table's body and caption with the strongest edges shown, of one vertex where one is chosen. */
export function fillTable(table, moment, vertex, threshold) {
  const edges = strongestEdges(moment, vertex, threshold, ROWS);
  const whose = vertex === null ? "" : ` at ${vertexName(moment, vertex)}`;
  table.caption.textContent = `The ${edges.length} strongest edges${whose} at this p-value, ${moment.label}`;
  table.tBodies[0].replaceChildren(...edges.map((edge) => row(moment, edge)));
}

function row(moment, edge) {
  const { from, to, coefficient, significance } = moment.edges;
  const p = 10 ** -significance[edge];
  const cells = [
    vertexName(moment, from[edge]),
    vertexName(moment, to[edge]),
    short(coefficient[edge]),
    p === 0 ? "< 1e-300" : short(p),
  ];
  const line = make("tr");
  line.append(...cells.map((text) => make("td", "", text)));
  return line;
}
