// The image in grey, and its projection from blue through white to red.

const NEGATIVE = [5, 48, 97];
const POSITIVE = [103, 0, 31];
const MIDDLE = [[67, 147, 195], [214, 96, 77]];
const STEPS = 127;

export function paintImage(canvas, pixels, { width, height }) {
  paint(canvas, width, height, (place) => [pixels[place], pixels[place], pixels[place]]);
}

/** The projection at a rank, counted from 0. */
export function paintProjection(canvas, projections, rank, { width, height }) {
  const start = rank * width * height;
  paint(canvas, width, height, (place) => signed(projections[start + place] / STEPS));
}

/** The colour of a value in [-1, 1]: hues that differ for all readers, both darker the larger the value. */
function signed(value) {
  const size = Math.abs(value);
  const [middle, end] = value < 0 ? [MIDDLE[0], NEGATIVE] : [MIDDLE[1], POSITIVE];
  const [from, to, share] = size < 0.5 ? [[255, 255, 255], middle, 2 * size] : [middle, end, 2 * size - 1];
  return from.map((channel, place) => Math.round(channel + (to[place] - channel) * share));
}

function paint(canvas, width, height, colour) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place += 1) {
    image.data.set([...colour(place), 255], 4 * place);
  }
  context.putImageData(image, 0, 0);
}
