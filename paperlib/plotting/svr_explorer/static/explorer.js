// The custom element: keeps what is shown, and redraws when that changes.

import { defineExplorer, ExplorerElement, make } from "../../explorers/static/element.js";
import { palette } from "./colours.js";
import { listenToControls, thresholds } from "./controls.js";
import { decode } from "./data.js";
import { paintGraph, paintHighlights, prepared, roomForNames } from "./painting.js";
import { edgeCounts, edgesAt, step, strongestChain } from "./paths.js";
import { listenToPointers } from "./pointer.js";
import { Raster } from "./raster.js";
import { fillTable } from "./table.js";
import { Frame, nearest, valueAxis, vertexPixels, View } from "./view.js";
import { countWords, pathWords, vertexLines } from "./words.js";

// Pixels around a vertex within which it is pointed at; a finger covers more than a mouse.
const REACH = { mouse: 14, pen: 18, touch: 26 };
const PAN_STEP = 0.15;
// From so many edges on single ones cannot be told apart: a fine screen's resolution would only take time.
const CROWD = 5000;

class SvrExplorer extends ExplorerElement {
  disconnectedCallback() {
    super.disconnectedCallback();
    this.history?.pause();
  }

  build(root, payload) {
    this.data = decode(payload);
    this.box = root.querySelector(".explorer");
    this.stage = root.querySelector(".stage");
    this.thresholdAt = thresholds(this.data);
    this.view = new View();
    Object.assign(this, { thresholdStep: 0, logarithmic: false, hovered: null, focused: null, chosen: null });
    this.showLegend();
    listenToPointers(this.stage, this.pointerActions());
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.stage.addEventListener("blur", () => this.point(null));
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.clear());
    root.querySelector("details.edges").addEventListener("toggle", () => this.refreshTable());
    this.history = listenToControls(root, this.data.moments.map((moment) => moment.label), this.controlActions());
    new ResizeObserver(() => this.redraw()).observe(this.stage);
  }

  showScheme(scheme) {
    super.showScheme(scheme);
    this.colours = null;
    this.redraw();
  }

  get threshold() {
    return this.thresholdAt(this.thresholdStep);
  }

  controlActions() {
    return {
      threshold: (number) => this.change({ thresholdStep: number }),
      moment: (number) => this.changeMoment(this.data.moments[number]),
      logarithmic: (on) => this.change({ logarithmic: on }),
      zoom: (factor) => this.move(() => this.view.zoom(factor)),
      reset: () => this.move(() => this.view.reset()),
    };
  }

  pointerActions() {
    return {
      point: (x, y, kind) => this.point(this.vertexAt(x, y, kind), x, y),
      leave: () => this.point(null),
      click: (x, y, kind) => {
        const vertex = this.vertexAt(x, y, kind);
        this.focused = vertex;
        this.choose(vertex);
        // A finger cannot hover: its tap shows the numbers too.
        this.point(vertex, x, y);
      },
      drag: (dx, dy) => {
        const { left, right, top, bottom } = this.scene.frame;
        this.move(() => this.view.pan(-dx / (right - left), dy / (bottom - top)));
      },
      zoom: (factor, x, y) => this.move(() => this.view.zoom(factor, ...this.scene.frame.share(x, y))),
    };
  }

  vertexAt(x, y, kind) {
    // What is pointed at is what is painted, and that has to be what is shown.
    if (this.stale) this.paint();
    return nearest(this.scene.pixels, x, y, REACH[kind] ?? REACH.mouse);
  }

  changeMoment(moment) {
    // The same index of the same layer, where the other network has it.
    const kept = (vertex) => {
      if (vertex === null) return null;
      const number = this.moment.layerOf[vertex];
      const layer = moment.layers[number];
      const index = vertex - this.moment.layers[number].start;
      return layer !== undefined && index < layer.count ? layer.start + index : null;
    };
    const { hovered = null, focused = null, chosen = null } = this;
    this.change({ hovered: kept(hovered), focused: kept(focused), chosen: kept(chosen), moment });
  }

  change(settings) {
    Object.assign(this, settings);
    const { moment, threshold } = this;
    const root = this.shadowRoot;
    const counts = edgeCounts(moment, threshold);
    const words = countWords(moment, counts, threshold);
    this.crowded = counts.shown > CROWD;
    root.querySelector(".counts").textContent = words;
    root.querySelector(".p").setAttribute("aria-valuetext", words);
    this.stage.setAttribute("aria-label", `Singular value representation, ${moment.label}. ${words}.`);
    this.choose(this.chosen);
    root.querySelector(".tip").hidden = this.hovered === null;
    if (this.hovered !== null) this.fillTip();
    this.redraw();
  }

  move(change) {
    change();
    this.stage.classList.toggle("zoomed", this.view.zoomed);
    this.point(null);
    this.redraw();
  }

  /** Show the numbers of a vertex, at a point in pixels or beside it; null hides them. */
  point(vertex, x, y) {
    const tip = this.shadowRoot.querySelector(".tip");
    tip.hidden = vertex === null;
    if (vertex === null && this.hovered === null) return;
    this.hovered = vertex;
    if (vertex !== null) {
      this.fillTip();
      const { pixels } = this.scene;
      this.placeTip(tip, x ?? pixels.x[vertex], y ?? pixels.y[vertex]);
    }
    this.redraw({ graph: false });
  }

  fillTip() {
    const lines = vertexLines(this.moment, this.hovered, this.threshold);
    this.shadowRoot.querySelector(".tip").replaceChildren(...lines.map((text) => make("div", "", text)));
  }

  placeTip(tip, x, y) {
    const { width, height } = this.scene.frame;
    const { offsetWidth, offsetHeight } = tip;
    const left = x + 14 + offsetWidth < width ? x + 14 : Math.max(0, x - 14 - offsetWidth);
    const top = y + 14 + offsetHeight < height ? y + 14 : Math.max(0, y - 14 - offsetHeight);
    tip.style.transform = `translate(${left}px, ${top}px)`;
  }

  /** Highlight the strongest chain through a vertex; null clears it. */
  choose(vertex) {
    const output = this.shadowRoot.querySelector(".path");
    this.chosen = vertex;
    this.path = null;
    output.textContent = "Click a vertex, or press Enter at it, for the strongest chain through it.";
    if (vertex !== null) {
      const edges = strongestChain(this.moment, vertex, this.threshold);
      const { from, to } = this.moment.edges;
      const vertices = new Set([vertex, ...edges.flatMap((edge) => [from[edge], to[edge]])]);
      this.path = { edges, vertices: [...vertices] };
      output.textContent = pathWords(this.moment, vertex, edges);
    }
    this.refreshTable();
    this.redraw({ graph: false });
  }

  clear() {
    this.point(null);
    this.choose(null);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, shiftKey } = event;
    const pan = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    if (shiftKey && pan !== undefined) this.move(() => this.view.pan(...pan.map((way) => way * PAN_STEP)));
    else if (pan !== undefined || key === "Home" || key === "End") this.walk(key);
    else if (key === "Enter" || key === " ") this.choose(this.focused);
    else if (key === "+" || key === "=") this.move(() => this.view.zoom(1.5));
    else if (key === "-") this.move(() => this.view.zoom(1 / 1.5));
    else if (key === "0") this.move(() => this.view.reset());
    else return;
    event.preventDefault();
  }

  walk(key) {
    const { moment, threshold } = this;
    this.focused = this.focused === null ? 0 : step(moment, this.focused, key, threshold);
    const layer = moment.layers[moment.layerOf[this.focused]];
    this.stale ||= this.view.show(layer.place, this.axis().place(moment.values[this.focused]));
    // Now rather than at the next frame: the numbers beside the vertex need to know where it is.
    this.paint();
    this.point(this.focused);
    this.shadowRoot.querySelector(".spoken").textContent = vertexLines(moment, this.focused, threshold).join(". ");
  }

  refreshTable() {
    const details = this.shadowRoot.querySelector("details.edges");
    if (!details.open) return;
    fillTable(details.querySelector("table"), this.moment, this.chosen, this.threshold);
  }

  showLegend() {
    const kinds = new Set(this.data.moments.flatMap((moment) => moment.layers.map((layer) => layer.kind)));
    for (const kind of ["convolution", "fully_connected"]) {
      this.shadowRoot.querySelector(`.key.${kind}`).hidden = !kinds.has(kind);
    }
  }

  axis() {
    return valueAxis(this.logarithmic, this.data.least, this.data.largest);
  }

  /** Paint before the next frame: once, however many changes there are until then. */
  redraw({ graph = true } = {}) {
    this.stale = this.stale || graph;
    this.pending ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.pending);
    this.pending = null;
    const width = this.stage.clientWidth;
    // In a closed tab or drop-down there is nothing to paint on; the change of size will call again.
    if (width === 0) return;
    if (this.stale || this.scene === undefined) this.paintGraph(width);
    this.stale = false;
    const { frame } = this.scene;
    const context = prepared(this.shadowRoot.querySelector(".highlights"), frame.width, frame.height);
    paintHighlights(context, this.scene, this.path, this.pointedAt());
  }

  paintGraph(width) {
    const { moment, view, threshold } = this;
    const canvas = this.shadowRoot.querySelector(".graph");
    const margins = { left: 52, right: 8, top: 8 };
    const names = roomForNames(canvas.getContext("2d"), moment, width - margins.left - margins.right);
    const height = Math.round(Math.min(520, Math.max(260, 0.5 * width))) + names;
    this.colours ??= palette(this.box);
    const context = prepared(canvas, width, height);
    const frame = new Frame(width, height, { ...margins, bottom: names });
    const axis = this.axis();
    const pixels = vertexPixels(moment, axis, frame, view);
    const ratio = canvas.width / width;
    this.raster = fittingRaster(this.raster, frame, this.crowded ? Math.min(1, ratio) : ratio);
    this.scene = { moment, view, threshold, frame, axis, pixels, raster: this.raster, colours: this.colours };
    paintGraph(context, this.scene);
  }

  pointedAt() {
    if (this.hovered === null) return null;
    const at = (side) => edgesAt(this.moment, this.hovered, side, this.threshold);
    return { vertex: this.hovered, edges: [...at("before"), ...at("after")] };
  }
}

/** The raster at hand where it fits the box of the drawing, else a new one. */
function fittingRaster(raster, { left, right, top, bottom }, ratio) {
  const [width, height] = [Math.round((right - left) * ratio), Math.round((bottom - top) * ratio)];
  return raster?.width === width && raster.height === height ? raster : new Raster(width, height);
}

defineExplorer(SvrExplorer);
