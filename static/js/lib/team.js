// The team this page was made for. Each write names it, and each read of a list: a page that was left open
// while another tab switched the team goes on for its own team, and its reader is told.
//
//   madeFor()           what a socket's message says of this page
//   teamHeaders()       the same for a fetch
//   noteTeam(reply)     show the notice when a fetch's reply says that another team is chosen now
//   askTeam(news)       resolves to true when the reader sends it to the page's team after all

const REPLY = "X-Team-Now"; // JSON: {made_for, chosen, value}; `value` is what a page says whose reader was told
const notice = document.getElementById("team-notice");
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("team-dialog"));

export const madeFor = () => document.body.dataset.madeFor ?? "";

export const teamHeaders = () => (madeFor() ? { "X-Made-For": madeFor() } : {});

export function noteTeam(reply) {
  show(newsOf(reply.headers.get(REPLY)));
}

export function askTeam(news) {
  if (!dialog) return Promise.resolve(false);
  for (const place of dialog.querySelectorAll("[data-made-for]"))
    place.textContent = news.made_for || "a team you are not in";
  partOf(dialog, "[data-words]").textContent = news.chosen
    ? `You are in ${news.chosen} now.`
    : "You are in no team now.";
  partOf(dialog, "[data-send]").hidden = !news.value;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const decide = () => {
      const isSent = dialog.returnValue === "send";
      if (isSent) stay(news.value);
      resolve(isSent);
    };
    dialog.addEventListener("close", decide, { once: true });
  });
}

const partOf = (whole, selector) => /** @type {HTMLElement} */ (whole.querySelector(selector));

function newsOf(header) {
  return header ? JSON.parse(header) : null;
}

function show(news) {
  if (!news || !notice) return;
  partOf(notice, "[data-chosen]").textContent = news.chosen || "no team";
  const button = partOf(notice, "[data-stay]");
  button.hidden = !news.value;
  button.dataset.stay = news.value;
  notice.hidden = false;
}

/** The reader knows and stays: from now on this page says so. Forms of single requests name those requests' teams. */
function stay(value) {
  const before = madeFor();
  document.body.dataset.madeFor = value;
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = document.querySelectorAll("input[name=made_for]");
  for (const field of fields) {
    if (field.value === before) field.value = value;
  }
  if (notice) notice.hidden = true;
}

notice
  ?.querySelector("[data-stay]")
  ?.addEventListener("click", ({ currentTarget }) =>
    stay(/** @type {HTMLElement} */ (currentTarget).dataset.stay),
  );

document.addEventListener("htmx:configRequest", ({ detail }) => Object.assign(detail.headers, teamHeaders()));

document.addEventListener("htmx:afterRequest", async ({ detail }) => {
  const news = newsOf(detail.xhr.getResponseHeader(REPLY));
  if (!news) return;
  if (detail.xhr.status !== 409) show(news);
  else if (await askTeam(news)) repeat(detail.requestConfig.elt);
});

function repeat(element) {
  if (element.matches("form")) element.requestSubmit();
  else element.click();
}
