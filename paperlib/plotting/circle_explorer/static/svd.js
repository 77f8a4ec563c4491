// The singular value decomposition of a 2 x 2 matrix in closed form.

/**
 * Of [[a, b], [c, d]]: s0 >= s1 >= 0, the angles of v0 and u0, and `sign`. v1 and u1 are v0 and u0 turned by a quarter,
 * u1 times `sign`, which is negative where the matrix turns the plane over.
 */
export function decompose(a, b, c, d) {
  // Every matrix is a scaled rotation plus a scaled reflection; their lengths and angles give the rest.
  const turn = Math.hypot(a + d, c - b);
  const flip = Math.hypot(a - d, c + b);
  const turned = Math.atan2(c - b, a + d);
  const flipped = Math.atan2(c + b, a - d);
  const s0 = (turn + flip) / 2;
  const s1 = Math.abs(turn - flip) / 2;
  const sign = Math.sign(turn - flip) + Number(turn === flip);
  const v = (flipped - turned) / 2;
  const u = (flipped + turned) / 2;
  return { s0, s1, u, v, sign };
}

/** The two bases in which the explorer writes x and Wx, with the names of their vectors. */
export function bases([[a, b], [c, d]]) {
  const { s0, s1, u, v, sign } = decompose(a, b, c, d);
  const [v0, u0] = [unit(v), unit(u)];
  return {
    values: [s0, s1],
    axes: [
      { reads: "e0", writes: "e0", from: [1, 0], to: [1, 0] },
      { reads: "e1", writes: "e1", from: [0, 1], to: [0, 1] },
    ],
    singular: [
      { reads: "v0", writes: "u0", from: v0, to: u0 },
      { reads: "v1", writes: "u1", from: [-v0[1], v0[0]], to: [-sign * u0[1], sign * u0[0]] },
    ],
  };
}

export function unit(angle) {
  return [Math.cos(angle), Math.sin(angle)];
}

export function applied([[a, b], [c, d]], [x, y]) {
  return [a * x + b * y, c * x + d * y];
}

export function dot([a, b], [c, d]) {
  return a * c + b * d;
}
