// How far the counts on the chips have moved since the page was opened: "Failed 5 +2".

const MINUS = "\u2212";

/** A count that is no "1,000+", which says nothing of a difference. */
function numberOf(chip) {
  const text = chip.querySelector(".chip-count")?.textContent ?? "";
  return /^[\d,]+$/.test(text) ? Number(text.replaceAll(",", "")) : NaN;
}

function hidden(text) {
  const words = document.createElement("span");
  words.className = "visually-hidden";
  words.textContent = text;
  return words;
}

export class Deltas {
  #first = [...document.querySelectorAll("#counts .chip")].map(numberOf);

  /** Show the difference of this chip, whose count has just been set; none when there is none. */
  show(chip, index) {
    const moved = numberOf(chip) - this.#first[index];
    chip.querySelector(".chip-delta")?.remove();
    if (!moved) return;
    const delta = document.createElement("span");
    delta.className = "number chip-delta";
    const sign = document.createElement("span");
    sign.ariaHidden = "true";
    sign.textContent = `${moved > 0 ? "+" : MINUS}${Math.abs(moved)}`;
    const words = `, ${Math.abs(moved)} ${moved > 0 ? "more" : "fewer"} since the page was opened`;
    delta.append(sign, hidden(words));
    chip.append(delta);
  }
}
