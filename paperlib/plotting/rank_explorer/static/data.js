// From the page's JSON to arrays, with the classes that follow from the scores.

/** What `payload.py` made: images with `pixels`, and for each network a view of each image. */
export function decode(raw) {
  const images = raw.images.map((image) => ({ ...image, pixels: new Uint8Array(buffer(image.pixels)) }));
  const networks = raw.networks.map(({ name, views }) => ({ name, views: views.map(decodeView) }));
  return { ...raw, images, networks };
}

function decodeView(raw) {
  return {
    ...raw,
    projections: new Int8Array(buffer(raw.projections)),
    classes: raw.scores.map(largest),
    fullClass: largest(raw.full),
  };
}

function largest(scores) {
  return scores.indexOf(Math.max(...scores));
}

function buffer(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}
