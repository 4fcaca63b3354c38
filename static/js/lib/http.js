// The one fetch of the pages: it says which team the page was made for, and a reply that says "logged out" is told to the page (login.js) from wherever it comes.

import { login } from "./login.js";
import { noteTeam, teamHeaders } from "./team.js";

/** As fetch; redirects are errors, for none of our addresses for scripts redirects. */
export async function request(url, options = {}) {
  const headers = { ...teamHeaders(), ...options.headers };
  const reply = await fetch(url, { redirect: "error", ...options, headers });
  noteTeam(reply);
  if (reply.status === 401) login.ended();
  return reply;
}

/** A file of another host: without cookies, and without telling it where the reader is. */
export const requestFile = (url) => fetch(url, { referrerPolicy: "no-referrer", credentials: "omit" });
