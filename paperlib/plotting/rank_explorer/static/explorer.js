// The custom element: which network, which image, which rank.

import { defineExplorer, ExplorerElement, make } from "../../explorers/static/element.js";
import { imageName, saying } from "./words.js";
import { decode } from "./data.js";
import { paintImage, paintProjection } from "./pictures.js";
import { drawScores } from "./scores.js";
import { drawRatios } from "./ratios.js";
import { fillRanks } from "./ranks.js";

class RankExplorer extends ExplorerElement {
  build(root, payload) {
    this.find = (selector) => root.querySelector(selector);
    this.data = decode(payload);
    Object.assign(this, { network: 0, image: 0, rank: 0 });
    const names = this.data.networks.map(({ name }) => name);
    this.list(".networks", names, (network) => this.setNetwork(network));
    this.find(".network").hidden = names.length < 2;
    this.list(".images", [], (image) => this.change({ image }));
    const slider = this.find(".k");
    slider.max = this.data.networks[0].views[0].rpr.length;
    slider.addEventListener("input", () => this.change({ rank: slider.valueAsNumber - 1 }));
    this.find(".previous").addEventListener("click", () => this.move(-1));
    this.find(".next").addEventListener("click", () => this.move(1));
    this.setNetwork(0);
  }

  list(name, options, choose) {
    const list = this.find(name);
    list.append(...options.map((text) => make("option", "", text)));
    list.addEventListener("change", () => choose(list.selectedIndex));
  }

  /** The list of images says which of them this network gets wrong. */
  setNetwork(network) {
    const { images, networks } = this.data;
    const options = images.map((image, place) => {
      const said = networks[network].views[place].fullClass;
      return make("option", "", `${imageName(image)}${said === image.label ? "" : `, read as ${said}`}`);
    });
    this.find(".images").replaceChildren(...options);
    this.change({ network });
  }

  move(steps) {
    const last = this.data.networks[0].views[0].rpr.length - 1;
    this.change({ rank: Math.min(last, Math.max(0, this.rank + steps)) });
  }

  change(settings) {
    Object.assign(this, settings);
    const { data, rank } = this;
    const image = data.images[this.image];
    const { name, views } = data.networks[this.network];
    const view = views[this.image];
    this.find(".images").selectedIndex = this.image;
    this.writeSlider(view.rpr.length);
    this.find(".saying").textContent = saying(view, rank, image.label);
    paintImage(this.find(".original"), image.pixels, data);
    paintProjection(this.find(".projection"), view.projections, rank, data);
    this.find(".held").textContent = `projection on ${rank + 1} right singular ${rank === 0 ? "vector" : "vectors"}`;
    drawScores(this.find(".scores"), view, rank, image.label);
    drawRatios(this.find(".ratios"), view, rank);
    fillRanks(this.find(".all"), view, rank, `Image ${imageName(image)}, ${name}`);
  }

  writeSlider(count) {
    const slider = this.find(".k");
    slider.value = this.rank + 1;
    slider.setAttribute("aria-valuetext", `k = ${this.rank + 1} of ${count}`);
    this.find("output").textContent = String(this.rank + 1);
    // Not disabled: a button that takes the focus away at the last rank would strand a reader with a keyboard.
    this.find(".previous").setAttribute("aria-disabled", this.rank === 0);
    this.find(".next").setAttribute("aria-disabled", this.rank === count - 1);
  }
}

defineExplorer(RankExplorer);
