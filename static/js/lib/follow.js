// A list that follows its end: it scrolls along until the reader scrolls away; a button brings them back.

const NEAR = 24; // px from the end that still count as "at the end"

export class Follower {
  #box;
  #jump;
  #following = true;
  #moving = 0; // our own scrolls, which are no wish of the reader's

  constructor(box, jump) {
    this.#box = box;
    this.#jump = jump;
    box.addEventListener("scroll", () => this.#scrolled());
    jump.addEventListener("click", () => this.toEnd());
  }

  /** The reader is at the end, not somewhere further back. */
  get isFollowing() {
    return this.#following;
  }

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    return scrollHeight - scrollTop - clientHeight <= NEAR;
  }

  #scrolled() {
    if (this.#moving > 0) {
      this.#moving -= 1;
      if (this.#isAtEnd()) return;
    }
    this.#following = this.#isAtEnd();
    if (this.#following) this.#jump.hidden = true;
  }

  toEnd() {
    this.#following = true;
    this.#jump.hidden = true;
    this.#toEnd();
  }

  #toEnd() {
    const before = this.#box.scrollTop;
    this.#box.scrollTop = this.#box.scrollHeight;
    if (this.#box.scrollTop !== before) this.#moving = 1;
  }

  /** Call after something was added. */
  grown() {
    if (this.#following) this.#toEnd();
    else this.#jump.hidden = false;
  }
}
