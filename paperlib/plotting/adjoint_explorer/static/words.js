// Numbers and sums as text.

export function number(value) {
  // Minus nought is nought.
  return String(Math.round(value * 1000) / 1000 + 0).replace("-", "−");
}

/** A factor of a product: a negative one in brackets. */
function factor(value) {
  return value < 0 ? `(${number(value)})` : number(value);
}

/** "1·2 + 2·(−1)" of pairs of factors; nothing for none. */
export function sumWords(pairs) {
  return pairs.map(([a, b]) => `${factor(a)}·${factor(b)}`).join(" + ");
}

/** "3", or "row 1, column 2" in an image. */
export function placeWords({ rows, columns }, place) {
  return rows === 1 ? String(place) : `row ${Math.floor(place / columns)}, column ${place % columns}`;
}

/** One step as a sentence: which sum it is, and which line of the matrix. */
export function stepWords(step) {
  const { forward, result, terms, value, place } = step;
  const name = `${forward ? "Av" : "Aᵀz"} at ${placeWords(result, place)}`;
  const line = `${forward ? "row" : "column"} ${place} of A times ${forward ? "v" : "z"}`;
  if (terms.length === 0) return `${name} = 0: ${line}, which is empty. No output is computed from this place.`;
  const sum = sumWords(terms.map(({ weight, factor: other }) => [weight, other]));
  return `${name} = ${sum} = ${number(value)}: ${line}.`;
}

/** Both sides of the dot-product test. */
export function productWords({ v, z, forward, backward, products }) {
  const side = (name, a, b, product) => {
    const pairs = a.values.map((value, place) => [value, b.values[place]]);
    return `${name} = ${sumWords(pairs)} = ${number(product)}`;
  };
  return [
    side("⟨Av, z⟩", forward, z, products[0]),
    side("⟨v, Aᵀz⟩", v, backward, products[1]),
  ];
}
