// A request as code to copy: tabs over one <pre>. The form shows what will be sent, the request page what was.

import { request } from "./http.js";
import { optionTable } from "./options.js";
import { curlOf, httpOf, javascriptOf, pythonOf } from "./samples.js";
import { toast } from "./toasts.js";

const SAMPLE_LIMIT = 200_000; // characters of input; longer ones would make typing slow
const SAMPLES = { http: httpOf, python: pythonOf, javascript: javascriptOf, curl: curlOf };

export class Code {
  #pre = /** @type {HTMLElement} */ (document.getElementById("sent-code"));
  #tabs = [...document.querySelectorAll("[data-sample]")];
  #request;
  #site;
  #sample = "http";

  /** `request()` gives what is to be shown; `site` is {runUrl, queueUrl, table}. */
  constructor(request, site) {
    this.#request = request;
    this.#site = site;
    this.#tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => this.#choose(tab));
      tab.addEventListener("keydown", ({ key }) => this.#keys(key, index));
    });
  }

  show() {
    const request = this.#request();
    const isLong = request.isLeftOut || request.input.length > SAMPLE_LIMIT;
    this.#pre.textContent = isLong
      ? "The input is too long to be shown here. It is sent as it is."
      : SAMPLES[this.#sample](request, this.#site);
  }

  #choose(tab) {
    this.#sample = tab.dataset.sample;
    for (const other of this.#tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    this.show();
  }

  #keys(key, index) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const next = this.#tabs[(index + step + this.#tabs.length) % this.#tabs.length];
    next.focus();
    this.#choose(next);
  }
}

const dialog = document.getElementById("code-dialog");

/** The input may be megabytes, so it is fetched when the code is first opened. */
async function fetchInput(url) {
  const reply = await request(url);
  if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
  return reply.text();
}

if (dialog) {
  const { endpoint, mode, options = "{}", runUrl, queueUrl, input } = dialog.dataset;
  const request = { endpoint, mode, options: JSON.parse(options), input: "" };
  const code = new Code(() => request, { runUrl, queueUrl, table: optionTable() });
  document.addEventListener("click", async ({ target }) => {
    if (!(target instanceof Element && target.closest("[data-dialog=code-dialog]"))) return;
    try {
      request.input ||= await fetchInput(input);
      code.show();
    } catch {
      toast("The input could not be fetched. Try again.", { error: true });
    }
  });
}
