// Numbers as text.

export function number(value) {
  // Minus nought is nought.
  return (Math.round(value * 100) / 100 + 0).toFixed(2).replace("-", "−");
}

export function degrees(angle) {
  return Math.round((angle * 180) / Math.PI);
}

/** "v0" as "v₀". */
export function subscripted(name) {
  return name.replace(/[01]/g, (digit) => "₀₁"[digit]);
}

export function pair([x, y]) {
  return `(${number(x)}, ${number(y)})`;
}

export function summary({ values: [s0, s1] }, stretch) {
  return `s₀ = ${number(s0)}, s₁ = ${number(s1)}; this x is stretched by |Wx|/|x| = ${number(stretch)}`;
}
