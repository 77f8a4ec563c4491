// The custom element: a layer, a place of one of the photographs, and the veil over the other.

import { defineExplorer, ExplorerElement, make } from "../../explorers/static/element.js";
import { decode, range, similarities } from "./data.js";
import { sentence } from "./words.js";
import { Photograph } from "./photograph.js";

class SimilarityExplorer extends ExplorerElement {
  build(root, payload) {
    this.data = decode(payload);
    this.names = this.data.photographs.map(({ name }) => name);
    this.find = (selector) => root.querySelector(selector);
    const figure = this.find("figure");
    figure.after(figure.cloneNode(true));
    const frames = [...root.querySelectorAll(".photograph")];
    root.querySelectorAll("figcaption").forEach((caption, number) => {
      caption.textContent = this.names[number];
    });
    this.photographs = this.data.photographs.map((one, number) => {
      return new Photograph(frames[number], one, this.actions(number));
    });
    const list = this.find(".layers");
    list.append(...this.data.layers.map(({ name }) => make("option", "", name)));
    list.addEventListener("change", () => this.setLayer(list.selectedIndex));
    this.find(".stretch").addEventListener("click", ({ currentTarget: button }) => {
      this.stretched = !this.stretched;
      button.setAttribute("aria-pressed", this.stretched);
      this.show(this.chosen);
    });
    // From 0 to 1 most layers show little: their cosines lie close together.
    this.stretched = true;
    this.setLayer(0, true);
  }

  actions(photograph) {
    return {
      point: (place) => this.show({ photograph, place }),
      leave: () => this.show(this.chosen),
      choose: (place) => {
        this.chosen = { photograph, place };
        this.show(this.chosen);
        this.find(".spoken").textContent = this.find(".sentence").textContent;
      },
    };
  }

  setLayer(number, first = false) {
    this.layer = this.data.layers[number];
    this.photographs.forEach((one, side) => one.setGrid(this.layer.grids[side]));
    if (first) {
      const [rows, columns] = this.layer.grids[0];
      this.chosen = { photograph: 0, place: { row: Math.floor(rows / 2), column: Math.floor(columns / 2) } };
    } else {
      this.chosen = { ...this.chosen, place: this.photographs[this.chosen.photograph].place };
    }
    this.show(this.chosen);
  }

  show({ photograph, place }) {
    const found = similarities(this.layer, photograph, place);
    const ends = this.stretched ? range(this.layer) : [0, 1];
    this.photographs[photograph].ask(place);
    this.photographs[1 - photograph].answer(found, ends);
    this.find(".sentence").textContent = sentence(
      this.names, photograph, place, this.layer.grids[1 - photograph], found,
    );
    this.find(".dark").textContent = `cosine ${ends[0].toFixed(2)}`;
    this.find(".clear").textContent = ends[1].toFixed(2);
  }
}

defineExplorer(SimilarityExplorer);
