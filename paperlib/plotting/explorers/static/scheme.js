// The page's colour scheme, followed while it changes.

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
