// Colours of the drawing, and the page's colour scheme followed while it changes.

const LIGHT = {
  page: "#ffffff",
  ink: "#1c2127",
  muted: "#59636e",
  grid: "#e6e9ec",
  edges: ["#e3e6e9", "#101418"],
  veil: "rgba(255, 255, 255, 0.82)",
  accent: "#7a1fa2",
  // From no intensity to the full one, and the rim that keeps pale vertices visible.
  convolution: ["#fbe3d6", "#b03a00", "#8f3000"],
  fully_connected: ["#dceaf6", "#08519c", "#063f7a"],
};

const DARK = {
  page: "#14181e",
  ink: "#e8ebee",
  muted: "#a3adb8",
  grid: "#2a3038",
  edges: ["#272d35", "#f4f6f8"],
  veil: "rgba(20, 24, 30, 0.84)",
  accent: "#ffd23f",
  convolution: ["#4a2413", "#ff9a5c", "#ff9a5c"],
  fully_connected: ["#14304d", "#6fb7ff", "#6fb7ff"],
};

export function palette(scheme) {
  return scheme === "dark" ? DARK : LIGHT;
}

/** The colour a share of the way from one "#rrggbb" to another. */
export function mixed([from, to], share) {
  const channel = (colour, place) => Number.parseInt(colour.slice(place, place + 2), 16);
  const parts = [1, 3, 5].map((place) => Math.round(channel(from, place) * (1 - share) + channel(to, place) * share));
  return `rgb(${parts.join(", ")})`;
}

/** "light" or "dark", as the page says: Sphinx themes, then JupyterLab, then VS Code; a bare page is white. */
function pageScheme() {
  const { documentElement: root, body } = document;
  const sphinx = root.dataset.theme;
  if (sphinx === "dark" || sphinx === "light") return sphinx;
  if (body.dataset.jpThemeLight !== undefined) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  return body.classList.contains("vscode-dark") ? "dark" : "light";
}

/** Call back at once and whenever the page's scheme changes; returns what ends that. */
export function followScheme(callback) {
  let current = null;
  const look = () => {
    const scheme = pageScheme();
    if (scheme !== current) callback(scheme);
    current = scheme;
  };
  const observer = new MutationObserver(look);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  look();
  return () => observer.disconnect();
}
