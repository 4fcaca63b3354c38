// The events of a stream as a list: number, time, size, first line; the chosen one in full beside it.

import { Follower } from "./follow.js";
import { parseExact } from "./jsontext.js";
import { treeOf } from "./jsontree.js";
import { onTab } from "./tabs.js";

const MOST = 1000; // in the page; the server has the rest
const LINE = 120; // characters of the first line

const byId = (id) => document.getElementById(id);

function cell(kind, text) {
  const span = document.createElement("span");
  span.className = `frame-${kind}`;
  span.textContent = text;
  return span;
}

/** One line; inline pictures would fill it with letters that say nothing. */
function firstLine(data) {
  if (data === null) return "large: open it to load it";
  const line = data.slice(0, 4 * LINE).split("\n", 1)[0];
  return line.replace(/data:image\/[^"\s]*/g, "data:image…").slice(0, LINE);
}

export class FrameList {
  #list = byId("frame-list");
  #pending = [];
  #total = 0;
  #follower = new Follower(this.#list, byId("follow-frames"));
  #data = new WeakMap(); // <li> -> frame

  constructor(frameUrl) {
    this.frameUrl = frameUrl;
    this.#list.addEventListener("click", ({ target }) => {
      const item = target.closest("li");
      if (item) this.#open(item);
    });
    onTab((name) => name === "events" && this.#follower.grown());
  }

  add(frame) {
    this.#pending.push(frame);
    this.#total += 1;
    if (this.#pending.length > MOST) this.#pending.shift();
  }

  clear() {
    this.#pending = [];
    this.#total = 0;
    this.#list.replaceChildren();
  }

  write() {
    if (!this.#pending.length) return;
    const items = this.#pending.map((frame) => this.#item(frame));
    this.#pending = [];
    this.#list.append(...items);
    while (this.#list.childElementCount > MOST) this.#list.firstElementChild.remove();
    const note = byId("frames-note");
    note.hidden = this.#total <= MOST;
    note.textContent = `The newest ${MOST.toLocaleString("en")} of ${this.#total.toLocaleString("en")} events.`;
    this.#follower.grown();
  }

  #item(frame) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "frame";
    button.append(
      cell("number", `#${frame.number}`),
      cell("offset", `+${Math.round(frame.offset_ms)} ms`),
      cell("size", `${frame.size} B`),
      cell("line", (frame.event ? `${frame.event}: ` : "") + firstLine(frame.data)),
    );
    item.append(button);
    this.#data.set(item, frame);
    return item;
  }

  async #open(item) {
    const frame = this.#data.get(item);
    for (const other of this.#list.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    item.firstElementChild.setAttribute("aria-current", "true");
    const url = this.frameUrl.replace(/0\/$/, `${frame.number}/`);
    byId("frame-detail").hidden = false;
    byId("frame-title").textContent = `Event ${frame.number}, +${Math.round(frame.offset_ms)} ms, ${frame.size} B`;
    byId("frame-download").href = url;
    byId("frame-body").replaceChildren(bodyOf(frame.data ?? (await textAt(url))));
  }
}

async function textAt(url) {
  const reply = await fetch(url, { redirect: "error" }).catch(() => null);
  return reply?.ok ? reply.text() : "It could not be loaded.";
}

function bodyOf(text) {
  try {
    return treeOf(parseExact(text));
  } catch {
    const pre = document.createElement("pre");
    pre.textContent = text;
    return pre;
  }
}
