// Numbers and sentences.

export function fixed(value, places = 2) {
  // Minus nought is nought.
  return (Math.round(value * 10 ** places) / 10 ** places + 0).toFixed(places).replace("-", "−");
}

/** A round number without needless places. */
export function short(value) {
  return String(Number(value.toPrecision(3)) + 0).replace("-", "−");
}

/** "#508, a 5" as the list of images has it. */
export function imageName({ index, label }) {
  return `#${index}, a ${label}`;
}

/** What the two networks say at a rank, as a sentence. */
export function saying(view, rank, label) {
  const [said, full] = [view.classes[rank], view.fullClass];
  const judged = (one) => `${one} (${one === label ? "right" : "wrong"})`;
  return (
    `k = ${rank + 1} of ${view.rpr.length}: RPR ${fixed(view.rpr[rank])}, LPR ${fixed(view.lpr[rank])}. ` +
    `The rank-${rank + 1} network says ${judged(said)}, the network says ${judged(full)}.`
  );
}
