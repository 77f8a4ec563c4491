// From the page's JSON to cosines by layer.

// What `payload.py` makes of a cosine of 1, less what it makes of 0.
const STEPS = 127;

export function decode(payload) {
  return {
    photographs: payload.photographs,
    layers: payload.layers.map(({ name, grids, cosines }) => ({ name, grids, levels: bytes(cosines) })),
  };
}

/**
 * The cosines between one place of a photograph, 0 or 1, and all places of the other: {values, best, mean}, row by row
 * of the other's grid; `best` is the index of the largest.
 */
export function similarities(layer, photograph, { row, column }) {
  const [own, other] = photograph === 0 ? layer.grids : [layer.grids[1], layer.grids[0]];
  const count = other[0] * other[1];
  const place = row * own[1] + column;
  // The first photograph's places are rows of the table, those of the second one columns.
  const at = (k) => (photograph === 0 ? place * count + k : k * own[0] * own[1] + place);
  const values = Float32Array.from({ length: count }, (_, k) => layer.levels[at(k)] / STEPS - 1);
  const best = values.reduce((found, value, k) => (value > values[found] ? k : found), 0);
  return { values, best, mean: values.reduce((sum, value) => sum + value, 0) / count };
}

/** The largest cosine of a layer, and the smallest but not below 0: the ends of the stretched scale. */
export function range(layer) {
  let low = 254;
  let high = 0;
  for (const level of layer.levels) {
    low = Math.min(low, level);
    high = Math.max(high, level);
  }
  return [Math.max(0, low / STEPS - 1), Math.max(1 / STEPS, high / STEPS - 1)];
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
