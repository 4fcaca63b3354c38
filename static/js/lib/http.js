// The one fetch of the pages: a reply that says "logged out" is told to the page (login.js) from wherever it comes.

import { login } from "./login.js";

/** As fetch; redirects are errors, for none of our addresses for scripts redirects. */
export async function request(url, options = {}) {
  const reply = await fetch(url, { redirect: "error", ...options });
  if (reply.status === 401) login.ended();
  return reply;
}
