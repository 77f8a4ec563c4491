// All ranks of one image as a table.

import { make } from "../../explorers/static/element.js";
import { fixed } from "./words.js";

/** Fill the table with a row for each k; the rank that is shown is marked. */
export function fillRanks(table, view, rank, words) {
  table.caption.textContent = words;
  const rows = view.rpr.map((rpr, place) => {
    const row = make("tr", place === rank ? "now" : "");
    const cells = [place + 1, fixed(view.values[place], 3), fixed(rpr, 3), fixed(view.lpr[place], 3), view.classes[place]];
    row.append(...cells.map((text) => make("td", "", String(text))));
    return row;
  });
  table.tBodies[0].replaceChildren(...rows);
}
