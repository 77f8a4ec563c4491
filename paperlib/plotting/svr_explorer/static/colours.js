// Colours of the drawing.

/** Those that the style sheet has for an element; of a kind of layer the pale one, the full one and the rim. */
export function palette(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    page: colour("page"),
    ink: colour("ink"),
    muted: colour("muted"),
    grid: colour("faint"),
    accent: colour("accent"),
    veil: colour("veil"),
    edges: [colour("edge-weak"), colour("edge-strong")],
    convolution: [colour("convolution-weak"), colour("first"), colour("convolution-rim")],
    fully_connected: [colour("fully-connected-weak"), colour("second"), colour("fully-connected-rim")],
  };
}

/** The colour a share of the way from one "#rrggbb" to another. */
export function mixed([from, to], share) {
  const channel = (colour, place) => Number.parseInt(colour.slice(place, place + 2), 16);
  const parts = [1, 3, 5].map((place) => Math.round(channel(from, place) * (1 - share) + channel(to, place) * share));
  return `rgb(${parts.join(", ")})`;
}
