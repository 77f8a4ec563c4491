// What the explorer says, for the eye and for screen readers alike.

export function fixed(value) {
  // Minus nought is nought.
  return (Math.round(value * 100) / 100 + 0).toFixed(2).replace("-", "−");
}

export function placeWords({ row, column }) {
  return `row ${row}, column ${column}`;
}

/** One sentence about a place of a photograph and what it finds in the other. */
export function sentence(names, photograph, place, grid, { values, best, mean }) {
  const match = { row: Math.floor(best / grid[1]), column: best % grid[1] };
  return (
    `${capital(placeWords(place))} of “${names[photograph]}”: most alike in “${names[1 - photograph]}” is ` +
    `${placeWords(match)} with a cosine of ${fixed(values[best])}; the mean is ${fixed(mean)}.`
  );
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
