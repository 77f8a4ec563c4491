// Edges as pixels. Without a graphics card a canvas takes ten times as long to stroke 20,000 wide lines as this loop;
// and as the darker of two lines wins in each pixel, the order of the edges is of no account.

// Shades below this one are the soft rims of the faintest lines, and let the page shine through.
const FAINTEST = 28;

/** A layer of `width` by `height` device pixels with a shade in 0..255 each, 0 for none. */
export class Raster {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.shades = new Uint8Array(width * height);
    this.canvas = document.createElement("canvas");
    Object.assign(this.canvas, { width, height });
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(width, height);
  }

  clear() {
    this.shades.fill(0);
  }

  /** A line between two points, `wide` pixels, with the shade of a `share` in 0..1. */
  line(x0, y0, x1, y1, share, wide) {
    const shade = FAINTEST + (255 - FAINTEST) * share;
    // Along the longer of its two sides, so that it has no gaps.
    const { width, height } = this;
    if (Math.abs(x1 - x0) >= Math.abs(y1 - y0)) this.walk(x0, y0, x1, y1, width, height, 1, width, shade, wide);
    else this.walk(y0, x0, y1, x1, height, width, width, 1, shade, wide);
  }

  /** Step along axis a, of which pixels are `stepA` apart, and shade the pixels along b that the line covers there. */
  walk(a0, b0, a1, b1, sizeA, sizeB, stepA, stepB, shade, wide) {
    if (a0 > a1) [a0, b0, a1, b1] = [a1, b1, a0, b0];
    const slope = a1 > a0 ? (b1 - b0) / (a1 - a0) : 0;
    const thick = wide * Math.sqrt(1 + slope * slope);
    // The lower rim at the middle of pixel a is start + a slope; it has to be at 0 or above, the upper one inside.
    const start = b0 - thick / 2 + (0.5 - a0) * slope;
    const [from, to] = inside(start, slope, sizeB - thick - 1e-6);
    const first = Math.max(0, Math.round(a0), Math.ceil(from));
    const last = Math.min(sizeA - 1, Math.round(a1), Math.floor(to));
    const { shades } = this;
    const full = shade | 0;
    let low = start + first * slope;
    for (let a = first, row = first * stepA; a <= last; a += 1, row += stepA, low += slope) {
      const high = low + thick;
      const bottom = low | 0;
      const top = high | 0;
      let place = row + bottom * stepB;
      if (bottom === top) {
        darken(shades, place, (shade * thick) | 0);
        continue;
      }
      darken(shades, place, (shade * (bottom + 1 - low)) | 0);
      for (let b = bottom + 1; b < top; b += 1) darken(shades, (place += stepB), full);
      darken(shades, place + stepB, (shade * (high - top)) | 0);
    }
  }

  /** Colour the shades, from the faintest colour to the strongest, and give the canvas that holds them. */
  painted(colours) {
    const table = colourTable(colours);
    const pixels = new Uint32Array(this.image.data.buffer);
    const { shades } = this;
    for (let place = 0; place < shades.length; place += 1) pixels[place] = table[shades[place]];
    this.context.putImageData(this.image, 0, 0);
    return this.canvas;
  }
}

function darken(shades, place, shade) {
  if (shades[place] < shade) shades[place] = shade;
}

/** Between which a the line start + a slope is in 0..limit. */
function inside(start, slope, limit) {
  if (slope === 0) return start >= 0 && start <= limit ? [-Infinity, Infinity] : [Infinity, -Infinity];
  const [one, other] = [-start / slope, (limit - start) / slope];
  return one < other ? [one, other] : [other, one];
}

/** Red, green, blue and opacity of each shade, in the order in which memory holds them. */
function colourTable([faint, strong]) {
  const table = new Uint8Array(4 * 256);
  for (let shade = 0; shade < 256; shade += 1) {
    const share = Math.max(0, (shade - FAINTEST) / (255 - FAINTEST));
    for (let channel = 0; channel < 3; channel += 1) {
      const part = (colour) => Number.parseInt(colour.slice(1 + 2 * channel, 3 + 2 * channel), 16);
      const [from, to] = [part(faint), part(strong)];
      table[4 * shade + channel] = from + (to - from) * share;
    }
    table[4 * shade + 3] = Math.min(255, (255 * shade) / FAINTEST);
  }
  return new Uint32Array(table.buffer);
}
