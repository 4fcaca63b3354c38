// What htmx was refused: said in the server's words, and where the log-in was the reason, done again afterwards.
//
// 401 and a CSRF 403 come before anything was done, so the same may be sent again, once. A submit keeps its
// idempotency key meanwhile: also a reply that was lost on the way cannot make two requests of one.

import { plainOf } from "./jsontext.js";
import { login } from "./login.js";
import { toast } from "./toasts.js";

const SENTENCES = {
  404: "That is not there any more.",
  413: "That is too large.",
  429: "That was too often. Wait a moment, then try again.",
  502: "The site is being restarted.",
  503: "The site is not ready.",
};
// Without its cookies a browser may just be logged out: the server knows.
const OLD_TOKEN = new Set(["csrf", "cookie"]);
const retried = new WeakSet(); // elements whose request is sent a second time with a fresh token

document.addEventListener("htmx:responseError", async ({ detail }) => {
  const { status } = detail.xhr;
  const cause = detail.xhr.getResponseHeader("X-Refusal") ?? "";
  if (cause === "team") return; // team.js asks
  if (status === 401) askLater(detail);
  else if (status === 403 && OLD_TOKEN.has(cause) && !retried.has(detail.elt)) await sendAgain(detail);
  else if (!detail.xhr.getResponseHeader("X-Team-Now")) {
    // With that header team.js asks.
    retried.delete(detail.elt);
    tell(detail, sentenceOf(detail));
  }
});
document.addEventListener(
  "htmx:afterRequest",
  ({ detail }) => detail.successful && retried.delete(detail.elt),
);
document.addEventListener("htmx:sendError", ({ detail }) =>
  tell(detail, `The server cannot be reached. ${again(detail)}`),
);
document.addEventListener("htmx:timeout", ({ detail }) =>
  tell(detail, "The server took too long to answer."),
);

/** A part that is only an addition (`data-optional`: a price) was not asked for by the user, and is left out. */
function tell({ elt }, sentence) {
  if (elt.matches("[data-optional]")) elt.replaceChildren();
  else toast(sentence, { error: true });
}

const again = (detail) =>
  isRead(detail) ? "Try again in a moment." : "Look at the list before you try again.";

/** Return the server's own sentence where the user can act on it, else one for the status. */
function sentenceOf(detail) {
  const { xhr } = detail;
  const { status, responseText } = xhr;
  if (status === 502 || status === 503) return `${SENTENCES[status]} ${again(detail)}`;
  if (status === 413) return `${SENTENCES[413]} ${plainText(xhr)}`.trim();
  const said = [400, 403, 409].includes(status) ? plainOf(responseText)?.detail : undefined;
  return typeof said === "string"
    ? said
    : (SENTENCES[status] ?? `That did not work: the server answered ${status}.`);
}

const plainText = (xhr) =>
  xhr.getResponseHeader("Content-Type")?.startsWith("text/plain") ? xhr.responseText.slice(0, 200) : "";

function askLater(detail) {
  login.ended();
  if (isRead(detail)) return;
  const before = valuesOf(detail.elt);
  login.later(detail.elt, ({ isLate }) => {
    if (isLate || valuesOf(detail.elt) !== before) {
      toast("You are logged in again. What you wanted was not done: press the button once more.");
    } else send(detail);
  });
}

async function sendAgain(detail) {
  retried.add(detail.elt);
  if (await login.renew()) send(detail);
  else if (login.isOut) askLater(detail);
  else {
    retried.delete(detail.elt);
    tell(detail, sentenceOf(detail));
  }
}

const isRead = ({ requestConfig: { verb } }) => verb === "get";

/** By the element itself: its fields, token and headers are taken anew. A row that was replaced has none left. */
function send({ elt, requestConfig: { verb, path, triggeringEvent: event } }) {
  const place = elt.isConnected ? { source: elt, event } : { source: document.body, swap: "none" };
  window.htmx?.ajax(verb, path, place);
}

/** What a form holds, without what changes by itself. */
function valuesOf(element) {
  const form = element.closest("form");
  if (!form) return "";
  return JSON.stringify([...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken"));
}
