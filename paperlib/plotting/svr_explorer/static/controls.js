// Sliders and buttons above the diagram.

const STEPS = 200;
// Beyond this many decimal places of a p-value a finer threshold tells nothing more.
const SMALLEST = 30;
const MILLISECONDS_A_MOMENT = 900;

/** Thresholds of significance by the slider's step: from all edges given to the strongest, or to `SMALLEST`. */
export function thresholds(data) {
  // A hair less, because significances come rounded to 32 bits: all edges are shown at first, and one at the end.
  const all = -Math.log10(data.level) - 1e-6;
  const end = Math.max(all, Math.min(SMALLEST, data.highest - 1e-6));
  // Squared, for finer steps where most edges are.
  return (step) => all + (step / STEPS) ** 2 * (end - all);
}

/**
 * Wire the controls in `root`. `actions` has threshold(step), moment(number), logarithmic(on), zoom(factor), reset();
 * returns the slider through the representations.
 */
export function listenToControls(root, labels, actions) {
  const find = (selector) => root.querySelector(selector);
  find(".p").max = STEPS;
  find(".p").addEventListener("input", (event) => actions.threshold(event.target.valueAsNumber));
  find(".in").addEventListener("click", () => actions.zoom(1.5));
  find(".out").addEventListener("click", () => actions.zoom(1 / 1.5));
  find(".reset").addEventListener("click", actions.reset);
  find(".log").addEventListener("click", ({ currentTarget: button }) => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", pressed);
    actions.logarithmic(pressed);
  });
  return new History(root, labels, actions.moment);
}

/** The slider through the representations, which can play: only when told to, and once to the end. */
class History {
  constructor(root, labels, callback) {
    this.labels = labels;
    this.callback = callback;
    this.slider = root.querySelector(".moment");
    this.button = root.querySelector(".play");
    this.output = root.querySelector(".history output");
    this.timer = null;
    root.querySelector(".history").hidden = labels.length < 2;
    this.slider.max = labels.length - 1;
    this.slider.addEventListener("input", () => {
      this.pause();
      this.go(this.slider.valueAsNumber);
    });
    this.button.addEventListener("click", () => (this.timer === null ? this.play() : this.pause()));
    this.go(0);
  }

  get last() {
    return this.labels.length - 1;
  }

  go(number) {
    this.slider.value = number;
    this.slider.setAttribute("aria-valuetext", this.labels[number]);
    this.output.textContent = this.labels[number];
    this.callback(number);
  }

  play() {
    if (this.slider.valueAsNumber === this.last) this.go(0);
    this.timer = setInterval(() => {
      this.go(this.slider.valueAsNumber + 1);
      if (this.slider.valueAsNumber === this.last) this.pause();
    }, MILLISECONDS_A_MOMENT);
    this.show("⏸", "Pause");
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.show("▶", "Play");
  }

  show(sign, name) {
    this.button.textContent = sign;
    this.button.setAttribute("aria-label", name);
  }
}
