// What is known about one equivalence class: members, hyperedges, and pictures.

import { make } from "../../explorers/static/element.js";
import { classWords } from "./words.js";

const MOST_MEMBERS = 6;

/** Fill `box` with the class at a place of the cell, or with how to choose one. */
export function fillDetails(box, data, cell, place) {
  if (place === null) {
    box.replaceChildren(make("p", "hint", "Choose an equivalence class in the diagram to see what it holds."));
    return;
  }
  const [members, hyperedges] = cell.classes[place];
  const listed = members.map((node) => {
    const value = data.singularValues[node];
    return value === undefined ? `v${node}` : `v${node} (s = ${value.toPrecision(3)})`;
  });
  const parts = [
    make("p", "name", `${classWords(data.names, cell.classes[place])}.`),
    make("p", "", `Classes: ${hyperedges.map((edge) => data.names[edge]).join(", ")}.`),
    make("p", "", `Members: ${listed.join(", ")}.`),
  ];
  box.replaceChildren(...parts, ...data.pictures.flatMap((row) => pictureRow(row, members)));
}

function pictureRow({ name, images }, members) {
  const shown = members.filter((node) => images[node] !== undefined).slice(0, MOST_MEMBERS);
  if (shown.length === 0) return [];
  const row = make("div", "pictures");
  row.append(make("span", "row", name), ...shown.map((node) => group(name, node, images[node])));
  return [row];
}

function group(name, node, sources) {
  const box = make("span", "group");
  box.append(make("span", "node", `v${node}`));
  sources.forEach((source, number) => {
    const image = make("img");
    image.src = source;
    image.alt = `${name} image ${number} of v${node}`;
    box.append(image);
  });
  return box;
}
