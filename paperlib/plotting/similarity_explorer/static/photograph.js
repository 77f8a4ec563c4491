// One of the two photographs: its picture, the veil over it, and the places that are marked.

// What a cosine of 0 leaves of the picture.
const DARKEST = 0.9;

export class Photograph {
  /** `actions` has point(place), leave(), choose(place), with {row, column} of the grid. */
  constructor(frame, { name, picture }, actions) {
    this.frame = frame;
    this.canvas = frame.querySelector("canvas");
    this.marks = { place: frame.querySelector(".place"), best: frame.querySelector(".best") };
    frame.querySelector("img").src = picture;
    frame.setAttribute("aria-label", `Photograph: ${name}`);
    this.grid = [1, 1];
    this.place = { row: 0, column: 0 };
    this.listen(actions);
  }

  listen(actions) {
    const { frame } = this;
    const at = (event) => this.placeAt(event.clientX, event.clientY);
    frame.addEventListener("pointermove", (event) => actions.point(at(event)));
    frame.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && actions.leave());
    frame.addEventListener("click", (event) => actions.choose(at(event)));
    frame.addEventListener("focus", () => frame.matches(":focus-visible") && actions.choose(this.place));
    frame.addEventListener("keydown", (event) => {
      const place = event.ctrlKey || event.metaKey || event.altKey ? null : this.moved(event.key);
      if (place === null) return;
      event.preventDefault();
      actions.choose(place);
    });
  }

  /** The grid of another layer; the place stays where it is in the picture. */
  setGrid(grid) {
    const moved = (index, axis) => Math.min(grid[axis] - 1, Math.floor(((index + 0.5) / this.grid[axis]) * grid[axis]));
    this.place = { row: moved(this.place.row, 0), column: moved(this.place.column, 1) };
    this.grid = grid;
    this.canvas.width = grid[1];
    this.canvas.height = grid[0];
  }

  placeAt(x, y) {
    const box = this.frame.querySelector("img").getBoundingClientRect();
    const index = (share, size) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
    return {
      row: index((y - box.top) / box.height, this.grid[0]),
      column: index((x - box.left) / box.width, this.grid[1]),
    };
  }

  /** Where a key leads from the place, or null. */
  moved(key) {
    const { row, column } = this.place;
    const [rows, columns] = this.grid;
    const [down, right] = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      Home: [0, -columns], End: [0, columns], PageUp: [-rows, 0], PageDown: [rows, 0],
      Enter: [0, 0], " ": [0, 0],
    }[key] ?? [null, null];
    if (down === null) return null;
    const inside = (index, size) => Math.min(size - 1, Math.max(0, index));
    return { row: inside(row + down, rows), column: inside(column + right, columns) };
  }

  /** Show the picture as it is, with the place that asks marked. */
  ask(place) {
    this.place = place;
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.mark("place", place);
    this.mark("best", null);
  }

  /** Show how alike each place is: dark at the lower end of `range`, clear at the upper, and the best one marked. */
  answer({ values, best }, [low, high]) {
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(this.canvas.width, this.canvas.height);
    values.forEach((value, k) => {
      const share = Math.min(1, Math.max(0, (value - low) / (high - low)));
      image.data[4 * k + 3] = Math.round(255 * DARKEST * (1 - share));
    });
    context.putImageData(image, 0, 0);
    this.mark("place", null);
    this.mark("best", { row: Math.floor(best / this.grid[1]), column: best % this.grid[1] });
  }

  mark(kind, place) {
    const { style } = this.marks[kind];
    this.marks[kind].hidden = place === null;
    if (place === null) return;
    const [rows, columns] = this.grid;
    style.top = `${(100 * place.row) / rows}%`;
    style.left = `${(100 * place.column) / columns}%`;
    style.height = `${100 / rows}%`;
    style.width = `${100 / columns}%`;
  }
}
