// Where things are: the singular-value axis, the visible part of the drawing, and their way to pixels.

const DEEPEST = 60;

/** Axis of singular values: `place` puts a value into 0..1, `ticks` gives the values to mark between two places. */
export function valueAxis(logarithmic, least, largest) {
  if (logarithmic) {
    const low = Math.log10(least) - 0.05;
    const high = Math.log10(largest) + 0.05;
    const place = (value) => (Math.log10(value) - low) / (high - low);
    const value = (at) => 10 ** (low + at * (high - low));
    return { place, ticks: (from, to) => logarithmicTicks(value(from), value(to)) };
  }
  // A little room below 0, so that a vertex there is whole.
  const low = -0.02 * largest;
  const high = 1.04 * largest;
  const value = (at) => low + at * (high - low);
  const place = (at) => (at - low) / (high - low);
  return { place, ticks: (from, to) => linearTicks(Math.max(0, value(from)), value(to)) };
}

function linearTicks(low, high) {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function logarithmicTicks(low, high) {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return linearTicks(low, high).filter((value) => value > 0);
  const factors = decades < 2.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / 7));
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    if (power % every === 0) found.push(...factors.map((factor) => factor * 10 ** power));
  }
  return found.filter((value) => value >= low && value <= high);
}

/** The visible rectangle of a drawing that is 1 wide and 1 high, with the origin at the bottom left. */
export class View {
  constructor() {
    this.reset();
  }

  reset() {
    Object.assign(this, { left: 0, bottom: 0, width: 1 });
  }

  get zoomed() {
    return this.width < 1;
  }

  /** Zoom by a factor and keep the point (x, y), both in 0..1 of the visible part, where it is. */
  zoom(factor, x = 0.5, y = 0.5) {
    const width = Math.min(1, Math.max(1 / DEEPEST, this.width / factor));
    this.left += x * (this.width - width);
    this.bottom += y * (this.width - width);
    this.width = width;
    this.settle();
  }

  /** Move by shares of the visible part. */
  pan(x, y) {
    this.left += x * this.width;
    this.bottom += y * this.width;
    this.settle();
  }

  /** Bring a point of the drawing into sight, with some room around it; tells whether that changed the view. */
  show(x, y) {
    const { left, bottom } = this;
    const margin = 0.1 * this.width;
    this.left = Math.min(x - margin, Math.max(x + margin - this.width, this.left));
    this.bottom = Math.min(y - margin, Math.max(y + margin - this.width, this.bottom));
    this.settle();
    return left !== this.left || bottom !== this.bottom;
  }

  settle() {
    const inside = (start) => Math.min(1 - this.width, Math.max(0, start));
    this.left = inside(this.left);
    this.bottom = inside(this.bottom);
  }
}

/** Pixels of the drawing: the box within the canvas, and where places of the drawing fall. */
export class Frame {
  constructor(width, height, margins) {
    this.width = width;
    this.height = height;
    this.left = margins.left;
    this.top = margins.top;
    this.right = width - margins.right;
    this.bottom = height - margins.bottom;
  }

  x(place, view) {
    return this.left + ((place - view.left) / view.width) * (this.right - this.left);
  }

  y(place, view) {
    return this.bottom - ((place - view.bottom) / view.width) * (this.bottom - this.top);
  }

  /** Share of the visible part, 0..1 both ways, of a point in pixels. */
  share(x, y) {
    return [(x - this.left) / (this.right - this.left), (this.bottom - y) / (this.bottom - this.top)];
  }
}

/** Coordinates in pixels of all vertices. */
export function vertexPixels(moment, axis, frame, view) {
  const x = new Float32Array(moment.values.length);
  const y = new Float32Array(moment.values.length);
  for (const layer of moment.layers) {
    x.fill(frame.x(layer.place, view), layer.start, layer.start + layer.count);
  }
  moment.values.forEach((value, vertex) => {
    y[vertex] = frame.y(axis.place(value), view);
  });
  return { x, y };
}

/** The vertex nearest to a point within `reach` pixels, or null. */
export function nearest(pixels, x, y, reach) {
  let best = null;
  let least = reach ** 2;
  for (let vertex = 0; vertex < pixels.x.length; vertex += 1) {
    const distance = (pixels.x[vertex] - x) ** 2 + (pixels.y[vertex] - y) ** 2;
    if (distance < least) [best, least] = [vertex, distance];
  }
  return best;
}
