// The incidence of nodes and hyperedges as a table: a row for each node, class after class.

import { make } from "../../explorers/static/element.js";

/** Fill `table`; `values` are singular values by node. */
export function fillMatrix(table, cell, names, values) {
  const head = make("tr");
  head.append(...["node", "s", ...names].map(headOf));
  const rows = cell.classes.flatMap(([members, hyperedges], place) => {
    return members.map((node, index) => rowOf(node, index, place, hyperedges, names, values[node]));
  });
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows);
}

function headOf(name) {
  const cell = make("th", "", name);
  cell.scope = "col";
  return cell;
}

function rowOf(node, index, place, hyperedges, names, value) {
  const row = make("tr", index === 0 ? "first" : "");
  row.dataset.place = place;
  const head = make("th", "", `v${node}`);
  head.scope = "row";
  const cells = names.map((name, edge) => {
    const inside = hyperedges.includes(edge);
    const cell = make("td", inside ? "inside" : "");
    // Not by colour alone.
    cell.textContent = inside ? "●" : "·";
    cell.setAttribute("aria-label", inside ? name : `not ${name}`);
    return cell;
  });
  row.append(head, make("td", "value", value === undefined ? "" : value.toPrecision(3)), ...cells);
  return row;
}

export function markRows(table, place) {
  for (const row of table.tBodies[0].rows) row.classList.toggle("chosen", Number(row.dataset.place) === place);
}
