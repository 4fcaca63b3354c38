// Drives the form of a document as a user does: by its controls and their events. Read by test_form_of_documents.py.

const fire = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));
const own = (field, selector) =>
  [...field.querySelectorAll(selector)].find((one) => one.closest("[data-name]") === field);
const inside = (element) =>
  [...element.querySelectorAll("[data-name]")].filter(
    (one) => one.parentElement.closest("[data-name]") === (element === root ? null : element),
  );
const isEqual = (json, value) =>
  !["", "custom"].includes(json) && JSON.stringify(JSON.parse(json)) === JSON.stringify(value);
const hex = (part) => part.toString(16).padStart(2, "0");

function type(field, value) {
  const input = own(field, "[data-input]");
  input.value = typeof value === "string" && field.dataset.control !== "json" ? value : JSON.stringify(value);
  fire(input);
}

function choose(field, value) {
  const input = own(field, "[data-input]");
  const option = [...input.options].find((one) => isEqual(one.value, value));
  input.value = option ? option.value : "custom";
  fire(input);
}

const FILL = {
  switch(field, value) {
    const input = own(field, "[data-input]");
    input.checked = value;
    fire(input);
  },
  buttons(field, value) {
    [...field.querySelectorAll("[data-json]")].find((one) => isEqual(one.dataset.json, value)).click();
  },
  select: choose,
  size(field, value) {
    choose(field, value);
    if (typeof value === "object") FILL.object(field, value);
  },
  checkboxes(field, value) {
    for (const box of field.querySelectorAll("[data-json]")) {
      if (!value.some((one) => isEqual(box.dataset.json, one))) continue;
      box.checked = true;
      fire(box);
    }
  },
  color(field, { r, g, b }) {
    const input = own(field, "[data-input]");
    input.value = `#${hex(r)}${hex(g)}${hex(b)}`;
    fire(input);
  },
  object(field, value) {
    for (const child of inside(field))
      if (child.dataset.name in value) fill(child, value[child.dataset.name]);
  },
  list(field, value) {
    for (const item of value) {
      own(field, "[data-add]").click();
      fill(own(field, "[data-items]").lastElementChild.querySelector("[data-name]"), item);
    }
  },
};

function fill(field, value) {
  (FILL[field.dataset.control] ?? type)(field, value);
}

function fillAll(values) {
  for (const field of inside(root)) if (field.dataset.name in values) fill(field, values[field.dataset.name]);
}

function resetAll() {
  for (const field of inside(root)) own(field, "[data-reset]").click();
}

function show(json) {
  text.value = json;
  form.show();
}

/** Show a text, then say "input" at each control that has a value, without a change; gives the text. */
function touched(json) {
  show(json);
  for (const input of root.querySelectorAll(".schema-is-set :is([data-input], .schema-checks input)")) {
    const isSet = input.closest("[data-name]").classList.contains("schema-is-set");
    if (isSet && input.getAttribute("role") !== "switch" && input.isConnected) fire(input); // a switch is only clicked
  }
  return text.value;
}

/** The places of the outermost fields that have a problem in them. */
function marked() {
  const told = [...root.querySelectorAll("[data-problem]")].filter((one) => !one.hidden);
  return [...new Set(told.map((one) => `/${placeOf(one.closest("[data-name]")).split("/")[1]}`))];
}
