// One convolution as the page needs it, and one step of it.

/** What `payload.py` made of a convolution, with sizes by name. */
export function readCase(raw) {
  const vector = ({ shape: [rows, columns], values }) => ({ rows, columns, values });
  const named = ["v", "z", "forward", "backward", "kernel"].map((name) => [name, vector(raw[name])]);
  return { ...raw, ...Object.fromEntries(named) };
}

/**
 * The sum for one place of Av, or of the adjoint: `terms` are places of the other side, each with the place in the
 * kernel, its weight, and the number that it multiplies.
 */
export function stepOf(shown, forward, place) {
  const { v, z, taps, kernel } = shown;
  const [source, result] = forward ? [v, shown.forward] : [z, shown.backward];
  const terms = [];
  source.values.forEach((value, other) => {
    const tap = forward ? taps[place][other] : taps[other][place];
    if (tap >= 0) terms.push({ place: other, tap, weight: kernel.values[tap], factor: value });
  });
  return { forward, place, source, result, terms, value: result.values[place] };
}
