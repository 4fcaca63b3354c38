// What this browser tells its user of: the standing choice, single requests, and whether the browser lets it.
// Kept in this browser, by user: so is the browser's own permission.
//
//   choice.standing                     one of STANDING
//   choice.tells(id)                    "Tell me" was pressed for this request
//   choice.claim(id) → bool             true for the first that wants to tell of its end, in all tabs
//   await choice.allow() → ""|sentence  asks for the browser's permission; call it from a press alone. What is in the way

const STANDING = ["none", "all", "failed", "long"];
export const LONG_S = 30;
const KEPT_MS = 24 * 3600_000;
const LOOKED_MS = 10 * 60_000;
const prefix = `faldeck.notices.${document.body.dataset.user ?? ""}`;

const REASONS = {
  denied:
    "This browser blocks notifications of this site. Allow them in its site settings (the icon left of the address), then choose again.",
  default:
    "The browser was not allowed to show notifications. The titles of tabs count requests all the same.",
  none: "This browser shows notifications of pages by https and of localhost alone. The titles of tabs count requests all the same.",
};

class Choice {
  get standing() {
    const kept = read("standing");
    return STANDING.includes(kept) ? kept : "none";
  }

  set standing(value) {
    write("standing", value);
  }

  get told() {
    return Object.keys(recent("tell"));
  }

  tells(id) {
    return id in recent("tell");
  }

  setTells(id, on) {
    const kept = recent("tell");
    if (on) kept[id] = Date.now();
    else delete kept[id];
    write("tell", kept);
  }

  claim(id) {
    const kept = recent("claimed");
    if (id in kept) return false;
    write("claimed", { ...kept, [id]: Date.now() });
    return true;
  }

  /** Up to which of the server's versions requests were looked at, and when: kept for a tab that takes over. */
  get looked() {
    const kept = read("looked");
    return kept && Date.now() - kept.at < LOOKED_MS ? kept : { seq: null, at: Date.now() };
  }

  set seq(seq) {
    write("looked", { seq, at: Date.now() });
  }

  /** "granted", "denied", "default" (not asked yet), or "none": this browser has none here. */
  get permission() {
    return window.isSecureContext && "Notification" in window ? Notification.permission : "none";
  }

  /** What is in the way of notifications, in words; empty when nothing is. */
  get obstacle() {
    return REASONS[this.permission] ?? "";
  }

  async allow() {
    if (this.permission === "default") await Notification.requestPermission();
    return this.obstacle;
  }
}

export const choice = new Choice();

/** Without what is older than a day. */
function recent(name) {
  const kept = Object.entries(read(name) ?? {});
  return Object.fromEntries(kept.filter(([, at]) => Date.now() - Number(at) < KEPT_MS));
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(`${prefix}.${name}`) ?? "null");
  } catch {
    return null;
  }
}

function write(name, value) {
  try {
    localStorage.setItem(`${prefix}.${name}`, JSON.stringify(value));
  } catch {
    // Full or off: it counts for this page at most.
  }
}
