// "× N": several runs with different seeds, for endpoints whose schema has a seed. Says in words how many are sent.

const box = /** @type {HTMLElement} */ (document.getElementById("repeat"));
const count = /** @type {HTMLInputElement} */ (document.getElementById("id_runs"));
const words = /** @type {HTMLElement} */ (document.getElementById("repeat-words"));
const form = /** @type {HTMLElement} */ (document.getElementById("request-form"));

function show() {
  /** @type {HTMLElement | null} */
  const schema = document.querySelector("#schema-view [data-seed]");
  box.hidden = !schema;
  count.disabled = !schema; // not sent: the endpoint would refuse it
  const runs = Number(count.value);
  words.hidden = !schema || !(runs > 1);
  if (words.hidden) return;
  const free = "sandbox" in form.dataset ? "the sandbox costs nothing" : `fal bills all ${runs}`;
  words.textContent = `${runs} requests, each with another ${schema?.dataset.seed?.toLowerCase()}: ${free}.`;
}

if (box) {
  count.addEventListener("input", show);
  form.addEventListener("input", show); // also what a draft or a loaded run brings
  new MutationObserver(show).observe(/** @type {HTMLElement} */ (document.getElementById("schema-view")), {
    childList: true,
  });
  show();
}
