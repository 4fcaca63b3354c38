// The named fields of a form as plain values: text, or true and false for a check box. Pure of any page.

const OURS = new Set(["csrfmiddlewaretoken", "token", "again_of", "made_for"]);

/**
 * What stands in them; with `initial` what the page came with.
 *
 * @returns {Record<string, any>} text, or true and false for a check box
 */
export function valuesOf(form, { initial = false } = {}) {
  const values = {};
  for (const field of form.querySelectorAll("input[name], select[name], textarea[name]")) {
    const { name, type } = field;
    if (OURS.has(name) || type === "file") continue;
    const isChecked = initial ? field.defaultChecked : field.checked;
    if (type === "checkbox") values[name] = isChecked;
    else if (type !== "radio") values[name] = initial ? initialOf(field) : field.value;
    else if (isChecked) values[name] = field.value;
  }
  return values;
}

function initialOf(field) {
  if (field.tagName !== "SELECT") return field.defaultValue;
  return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value ?? "";
}

/** Put values back; fields that are not among them stay as they are. */
export function putValues(form, values) {
  for (const field of form.querySelectorAll("input[name], select[name], textarea[name]")) {
    const { name, type } = field;
    if (OURS.has(name) || type === "file" || !Object.hasOwn(values, name)) continue;
    if (type === "checkbox") field.checked = values[name];
    else if (type === "radio") field.checked = field.value === values[name];
    else field.value = values[name];
  }
}

export const isSame = (one, other) =>
  Object.keys({ ...one, ...other }).every((name) => (one[name] ?? "") === (other[name] ?? ""));
