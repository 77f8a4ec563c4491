// The custom element that all explorers extend, and what they need to put together a drawing.

import { followScheme } from "./scheme.js";

/** Shows its template in place of the static content; a subclass has build(root, data). */
export class ExplorerElement extends HTMLElement {
  connectedCallback() {
    // While the page is being read the data may not be there yet: the script behind the element starts it then.
    if (document.readyState !== "loading") this.start();
  }

  disconnectedCallback() {
    this.stopFollowing?.();
  }

  /** Again after the element was moved within the page. */
  start() {
    if (!this.isConnected) return;
    if (!this.built) {
      const source = this.querySelector("script[type='application/json']");
      if (source === null) return;
      this.built = true;
      const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      root.innerHTML = TEMPLATE;
      this.build(root, JSON.parse(source.textContent));
    }
    this.stopFollowing?.();
    this.stopFollowing = followScheme((scheme) => this.showScheme(scheme));
  }

  /** The style sheet has the colours; a subclass that paints with them does so again. */
  showScheme(scheme) {
    this.shadowRoot.querySelector(".explorer").dataset.scheme = scheme;
  }
}

export function defineExplorer(element) {
  if (!customElements.get(TAG)) customElements.define(TAG, element);
  for (const found of document.querySelectorAll(TAG)) found.start();
}

/** A new element in a drawing, with attributes and, if given, the text in it. */
export function draw(parent, name, attributes = {}, text = null) {
  const made = document.createElementNS(parent.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

/** A new element of the page with a class and, if given, the text in it. */
export function make(name, kind = "", text = null) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== null) made.textContent = text;
  return made;
}
