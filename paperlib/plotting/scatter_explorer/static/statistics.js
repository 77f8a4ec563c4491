// Ranks, correlations and quantiles of what is shown.

/** Ranks from 1, equal values with the mean of theirs. */
export function ranks(values) {
  const order = values.map((_, index) => index).sort((a, b) => values[a] - values[b]);
  const found = new Array(values.length);
  for (let first = 0; first < order.length; ) {
    let next = first + 1;
    while (next < order.length && values[order[next]] === values[order[first]]) next += 1;
    for (const index of order.slice(first, next)) found[index] = (first + 1 + next) / 2;
    first = next;
  }
  return found;
}

/** Spearman's correlation; null where there is none: fewer than three pairs, or values that are all the same. */
export function spearman(x, y) {
  if (x.length < 3) return null;
  const [a, b] = [centred(ranks(x)), centred(ranks(y))];
  const lengths = Math.sqrt(inner(a, a) * inner(b, b));
  return lengths === 0 ? null : inner(a, b) / lengths;
}

/** The value below which a share of the sorted values lies, linear between two of them. */
export function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function centred(values) {
  const middle = mean(values);
  return values.map((value) => value - middle);
}

function inner(a, b) {
  return a.reduce((sum, value, index) => sum + value * b[index], 0);
}
