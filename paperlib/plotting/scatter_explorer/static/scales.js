// Axes: the way between values and pixels, round numbers on them, and bins of their histograms.

const STEPS = [1, 2, 5, 10];

/** An axis over the values, with a margin, from pixel `start` to pixel `end`. */
export function scale(values, start, end) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = high > low ? 0.04 * (high - low) : Math.max(1e-6, 0.05 * Math.abs(low));
  const [first, last] = [low - margin, high + margin];
  const pixels = (end - start) / (last - first);
  return { first, last, pixel: (value) => start + (value - first) * pixels };
}

/** About `count` round numbers within the axis, and the decimal places that they need. */
export function ticks({ first, last }, count) {
  const rough = (last - first) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * STEPS.find((one) => one * power >= rough * (1 - 1e-9));
  const from = Math.ceil(first / step);
  const places = Array.from({ length: Math.floor(last / step) - from + 1 }, (_, place) => (from + place) * step);
  return { places, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** Bins of equal width between the smallest and the largest value, and the bin of a value. */
export function bins(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const count = high > low ? Math.min(30, Math.ceil(1.5 * Math.sqrt(values.length))) : 1;
  const width = high > low ? (high - low) / count : Math.max(1e-6, 0.02 * Math.abs(low));
  const from = high > low ? low : low - width / 2;
  return {
    count,
    ends: (place) => [from + place * width, from + (place + 1) * width],
    of: (value) => Math.min(count - 1, Math.max(0, Math.floor((value - from) / width))),
  };
}
