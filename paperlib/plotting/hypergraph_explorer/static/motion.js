// Vertices on their way from where they were to where they belong.

const MILLISECONDS = 450;

/** Calls `paint` with a Map of {x, y, alpha} by key: at once, and until all have arrived. */
export class Motion {
  constructor(paint) {
    this.paint = paint;
    this.now = new Map();
    this.frame = null;
  }

  /** New vertices fade in at their place, and those that are left out fade away. */
  go(vertices) {
    const first = this.now.size === 0;
    const still = first || matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden;
    const targets = new Map(vertices.map(({ key, x, y }) => [key, { x, y, alpha: 1 }]));
    const starts = new Map(this.now);
    for (const [key, { x, y }] of targets) if (!starts.has(key)) starts.set(key, { x, y, alpha: 0 });
    cancelAnimationFrame(this.frame);
    if (still) {
      this.show(targets);
      return;
    }
    const begin = performance.now();
    const step = (time) => {
      const share = Math.min(1, Math.max(0, (time - begin) / MILLISECONDS));
      this.show(share === 1 ? targets : between(starts, targets, share * share * (3 - 2 * share)));
      if (share < 1) this.frame = requestAnimationFrame(step);
    };
    step(begin);
  }

  show(places) {
    this.now = places;
    this.paint(places);
  }
}

function between(starts, targets, share) {
  const places = new Map();
  for (const [key, from] of starts) {
    const to = targets.get(key) ?? { ...from, alpha: 0 };
    const mix = (name) => from[name] + (to[name] - from[name]) * share;
    places.set(key, { x: mix("x"), y: mix("y"), alpha: mix("alpha") });
  }
  return places;
}
