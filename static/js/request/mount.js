// Brings a request's part of a page to life: on its own page, and beside the form. One at a time: its parts have ids.

import { Record } from "../record/record.js";
import { Replay } from "../record/replay.js";
import { Tabs } from "../lib/tabs.js";
import { RequestPage } from "./detail.js";
import { showProgress } from "./progress.js";
import { StreamView } from "./stream.js";

/** `page` is the element of templates/request/_page.html. The function that is returned ends all that was begun. */
export function mountRequest(page) {
  const ending = new AbortController();
  const tabs = new Tabs(page);
  new RequestPage(page, tabs, ending.signal);
  showProgress(page, ending.signal);
  const root = document.getElementById("record");
  if (root) mountRecord(new Record(root, page.dataset.request, tabs, ending.signal), tabs, ending.signal);
  return () => ending.abort();
}

function mountRecord(record, tabs, signal) {
  if (document.getElementById("stream")) new StreamView(record, tabs, signal);
  new Replay(record, tabs, signal);
}
