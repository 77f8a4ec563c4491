// What is drawn as two tables: the bands, and every volume.

import { make } from "../../explorers/static/element.js";
import { foldName, share, short } from "./words.js";

export function fillBands(table, bands, column) {
  table.caption.textContent = `Mean Dice in bands of ${column.name}`;
  const text = (value) => (column.isRatio ? share(value) : short(value));
  fill(table, bands.map(({ name, low, high, count, mean }) => {
    return [name, `${text(low)} to ${text(high)}`, short(count), mean === null ? "none" : share(mean)];
  }));
}

/** Volumes as on the axis, from the smallest value. */
export function fillVolumes(table, data, points, column) {
  const heads = ["volume", "fold", "Dice", column.name];
  table.tHead.rows[0].replaceChildren(...heads.map((text) => {
    const head = make("th", "", text);
    head.scope = "col";
    return head;
  }));
  table.caption.textContent = `Volumes by ${column.name}, from the smallest`;
  fill(table, points.map(({ volume, fold, x, y }) => {
    return [data.names[volume], foldName(fold), share(y), column.isRatio ? share(x) : short(x)];
  }));
}

function fill(table, rows) {
  table.tBodies[0].replaceChildren(...rows.map((cells) => {
    const row = make("tr");
    row.append(...cells.map((text) => make("td", "", text)));
    return row;
  }));
}
