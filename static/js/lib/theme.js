// Light, dark, or as the system says. Loaded before the first paint, so that nothing flashes.
// A classic script: modules run after the page has been painted.

(() => {
  const KEY = "faldeck.theme";
  const ORDER = ["system", "light", "dark"];
  const root = document.documentElement;

  const read = () => {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch {
      return ""; // storage may be forbidden; the system's theme is fine
    }
  };

  const show = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  const keep = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // not kept; still shown
    }
  };

  const name = (button, theme) => {
    button.title = `Theme: ${theme}`;
    const word = button.querySelector("[data-theme-word]");
    if (word) word.textContent = button.title;
    else button.querySelector("svg")?.setAttribute("aria-label", `Theme: ${theme}. Change it`);
  };

  let chosen = ORDER.includes(read()) ? read() : "system";
  show(chosen);

  document.addEventListener("DOMContentLoaded", () => {
    const buttons = document.querySelectorAll("[data-theme-switch]");
    for (const button of buttons) {
      button.hidden = false;
      name(button, chosen);
      button.addEventListener("click", () => {
        chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length];
        show(chosen);
        keep(chosen);
        for (const each of buttons) name(each, chosen);
      });
    }
  });
})();
