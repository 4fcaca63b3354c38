// Blur pictures and videos until they are pointed at, focused or pressed. htmx tells the server; the page changes at once.

for (const form of document.querySelectorAll("[data-blur-switch]"))
  form.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful) return;
    const isOn = !("blur" in document.body.dataset);
    document.body.toggleAttribute("data-blur", isOn);
    form.querySelector("button")?.setAttribute("aria-pressed", String(isOn));
    const next = /** @type {HTMLInputElement | null} */ (form.querySelector("input[name=on]"));
    if (next) next.value = isOn ? "0" : "1";
  });
