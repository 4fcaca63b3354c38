// What is on its way stays with its item when items of a list change places or go.

/** The file fields inside, in their order. */
export const mediaIn = (element) => [...element.querySelectorAll("[data-control=media]")];

/**
 * A click on "Remove" or "Move up" of an item is about to be done. Gives what to do afterwards: put each item's states
 * where the item is then. `take(field)` gives and forgets a field's state, `put(field, state)` sets it.
 */
export function following(button, { take, put, drop }) {
  const item = button.closest("[data-item]");
  const box = item.parentElement;
  const items = [...box.children];
  const at = items.indexOf(item);
  const states = items.map((one) => mediaIn(one).map(take));
  if (button.matches("[data-remove]")) states.splice(at, 1)[0].forEach((state) => state && drop(state));
  else if (at > 0) [states[at - 1], states[at]] = [states[at], states[at - 1]];
  return () => {
    [...box.children].forEach((one, index) => {
      mediaIn(one).forEach((field, number) => put(field, states[index]?.[number]));
    });
  };
}
