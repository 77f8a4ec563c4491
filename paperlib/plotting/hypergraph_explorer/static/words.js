// What the explorer says, for the eye and for screen readers alike.

export function plural(count, noun, many = `${noun}s`) {
  return `${count} ${count === 1 ? noun : many}`;
}

/** "[v7]": an equivalence class by its first member. */
export function className([members]) {
  return `[v${members[0]}]`;
}

/** The names of hyperedges, or "all 10" and "all 10 but 3". */
export function edgeNames(names, hyperedges) {
  const missing = names.filter((_, place) => !hyperedges.includes(place));
  if (missing.length === 0) return `all ${names.length}`;
  if (missing.length <= 2 && names.length > 5) return `all but ${missing.join(" and ")}`;
  return hyperedges.map((place) => names[place]).join(", ");
}

export function countWords(cell, names) {
  const nodes = cell.classes.reduce((sum, [members]) => sum + members.length, 0);
  const used = new Set(cell.classes.flatMap(([, hyperedges]) => hyperedges));
  const groups = plural(cell.classes.length, "equivalence class", "equivalence classes");
  const cut = cell.threshold === null ? "" : `; threshold ${cell.threshold}`;
  return `${plural(nodes, "node")} in ${groups}, ${used.size} of ${names.length} hyperedges${cut}`;
}

export function classWords(names, [members, hyperedges]) {
  const whole = `${className([members])} has ${plural(members.length, "member")}`;
  return `${whole}, significant for ${edgeNames(names, hyperedges)}`;
}
