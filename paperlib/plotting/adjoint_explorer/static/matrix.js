// The matrix of the convolution with the row or the column of the step.

import { draw } from "../../explorers/static/element.js";
import { number } from "./words.js";

const MARGIN = 18;
// Of all columns together; a signal's few are not drawn larger than the numbers beside need.
const WIDEST = 400;
const LARGEST = 32;

/** Draw the matrix; `choose` is called with the row, or for the adjoint the column, that is clicked. */
export function drawMatrix(picture, { taps, kernel }, { forward, place }, choose) {
  picture.replaceChildren();
  const [rows, columns] = [taps.length, taps[0].length];
  const side = Math.min(LARGEST, WIDEST / columns);
  const size = { width: MARGIN + side * columns + 2, height: MARGIN + side * rows + 2 };
  picture.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  picture.style.maxWidth = `${size.width}px`;
  taps.forEach((line, row) => {
    line.forEach((tap, column) => {
      const [x, y] = [MARGIN + side * column, MARGIN + side * row];
      const inside = (forward ? row : column) === place;
      const sign = tap < 0 ? "" : kernel.values[tap] < 0 ? "negative" : "positive";
      const cell = draw(picture, "rect", { class: `entry ${sign}`, x, y, width: side, height: side });
      cell.addEventListener("click", () => choose(forward ? row : column));
      if (tap < 0) return;
      const look = `entry${inside ? " chosen" : ""}${side < 20 ? " small" : ""}`;
      draw(picture, "text", { class: look, x: x + side / 2, y: y + 0.68 * side }, number(kernel.values[tap]));
    });
  });
  drawNumbers(picture, rows, columns, side);
  const [x, y, width, height] = forward
    ? [MARGIN, MARGIN + side * place, side * columns, side]
    : [MARGIN + side * place, MARGIN, side, side * rows];
  draw(picture, "rect", { class: "frame", x, y, width, height });
}

/** Numbers of the rows and columns, from 0; of many columns every fifth. */
function drawNumbers(picture, rows, columns, side) {
  const every = columns > 12 ? 5 : 1;
  for (let column = 0; column < columns; column += every) {
    draw(picture, "text", { class: "place", x: MARGIN + side * (column + 0.5), y: MARGIN - 5 }, String(column));
  }
  for (let row = 0; row < rows; row += 1) {
    draw(picture, "text", { class: "place", x: MARGIN / 2, y: MARGIN + side * (row + 0.5) + 4 }, String(row));
  }
}
