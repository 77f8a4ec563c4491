// From the page's JSON to what can be on the horizontal axis.

import { mean, quantile, spearman } from "./statistics.js";

const QUANTILES = [0.1, 0.5, 0.9];
const BANDS = ["below 10 %", "10 to 50 %", "50 to 90 %", "above 90 %"];

/** A choice for the axis: {name, long, values, isRatio}; of the ratios there is one for each k. */
export function ratioColumn(data, k) {
  const long = `right projection ratio, k = ${k}`;
  return { name: `RPR (k = ${k})`, long, values: data.ratios[k - 1], isRatio: true };
}

export function otherColumn(data, number) {
  const { name, values } = data.others[number];
  return { name, long: name, values, isRatio: false };
}

/** Volumes that have a value, from the smallest: {volume, x, y, fold}. */
export function pairs(data, column) {
  return column.values
    .map((x, volume) => ({ volume, x, y: data.dice[volume], fold: data.folds[volume] }))
    .filter(({ x }) => x !== null)
    .sort((a, b) => a.x - b.x);
}

export function correlation(points) {
  return { value: spearman(points.map(({ x }) => x), points.map(({ y }) => y)), count: points.length };
}

/** The bands between the quantiles; a volume on a limit belongs above it: {name, low, high, count, mean or null}. */
export function bandsOf(points) {
  const x = points.map((point) => point.x);
  const limits = QUANTILES.map((one) => quantile(x, one));
  const ends = [x[0], ...limits, x.at(-1)];
  return BANDS.map((name, place) => {
    const inside = points.filter((point) => limits.filter((limit) => limit <= point.x).length === place);
    const dice = inside.length === 0 ? null : mean(inside.map(({ y }) => y));
    return { name, low: ends[place], high: ends[place + 1], count: inside.length, mean: dice };
  });
}
