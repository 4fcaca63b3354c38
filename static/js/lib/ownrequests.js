// What htmx tells of an element's own requests. Its events bubble: a form hears also of a price or a menu inside it,
// and must not take their answer for that of its submit. When an answer removed the element that had asked, htmx
// tells the nearest one that is left, as though it had asked itself.

/** Call `act` with the detail of `type` ("htmx:beforeRequest", …) for requests that this element itself makes. */
export function onOwnRequest(element, type, act) {
  element.addEventListener(
    type,
    ({ target, detail }) => target === element && detail.requestConfig.elt === element && act(detail),
  );
}
