// Change one place of a JSON text and leave the rest as it was typed. Pure.
//
// Places are JSON pointers (RFC 6901): "" is the whole, "/images/0/url" a place in it. Values go in and come out as
// JSON text, so that digits stay. An edit is {from, to, insert}: replace the characters from `from` up to `to`.

import { parse } from "./jsontext.js";

const UNIT = "  "; // of indentation, where the text itself shows none

/** The names a pointer goes through. Throws RangeError. */
export function namesOf(pointer) {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) throw new RangeError(`${pointer} is no JSON pointer`);
  return pointer
    .slice(1)
    .split("/")
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export const pointerOf = (names) =>
  names.map((name) => `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** The node at a pointer of a parsed tree, undefined when there is none. Of repeated names the last one counts. */
export function find(root, pointer) {
  return namesOf(pointer).reduce(childOf, root);
}

function childOf(node, name) {
  if (node?.type === "object") return node.members.findLast(({ key }) => key === name)?.value;
  return node?.type === "array" ? node.items[indexOf(name)] : undefined;
}

const indexOf = (name) => (/^(0|[1-9]\d*)$/.test(name) ? Number(name) : -1);

/**
 * Put a value there. What is missing on the way is made: objects for names. In an array an index replaces, "-" or the
 * index behind the last one appends. Gives the new text. Throws JsonError, and RangeError for a place that cannot be.
 */
export function setAt(text, pointer, value) {
  return applied(text, [settingAt(text, pointer, value)]);
}

/** The edit that `setAt` makes. */
function settingAt(text, pointer, value) {
  parse(value);
  const source = text.trim() ? text : "{}";
  if (source !== text) return { from: 0, to: text.length, insert: setAt(source, pointer, value) };
  const names = namesOf(pointer);
  let node = parse(text);
  let at = 0;
  for (let next; at < names.length && (next = childOf(node, names[at])); at += 1) node = next;
  if (at === names.length) return { from: node.start, to: node.end, insert: value };
  return adding(text, node, names[at], wrapped(names.slice(at + 1), value));
}

/** The value inside the objects that are missing around it. */
const wrapped = (names, value) =>
  names.reduceRight((inner, name) => `{${JSON.stringify(name)}: ${inner}}`, value);

function adding(text, node, name, value) {
  if (node.type === "object") {
    const [first] = node.members;
    const colon = first ? text.slice(first.keyEnd, first.value.start) : ": ";
    const comma = colon.endsWith(":") ? "," : ", ";
    return appended(
      text,
      node,
      node.members.map(spanOfMember),
      `${JSON.stringify(name)}${colon}${value}`,
      comma,
    );
  }
  if (node.type === "array" && (name === "-" || indexOf(name) === node.items.length)) {
    return appended(text, node, node.items, value, ", ");
  }
  throw new RangeError(`There is no place for ${name} in a ${node.type}`);
}

const spanOfMember = ({ keyStart, value }) => ({ start: keyStart, end: value.end });

/** Behind the last entry, with what stands between the others; `comma` where there is but one, on the same line. */
function appended(text, node, entries, insert, comma) {
  const last = entries.at(-1);
  if (!last) return filling(text, node, insert);
  const lead = text.slice(node.start + 1, last.start); // of the only entry
  const only = lead.includes("\n") ? `,${lead}` : comma;
  const before = entries.length > 1 ? text.slice(entries.at(-2).end, last.start) : only;
  return { from: last.end, to: last.end, insert: `${before}${insert}` };
}

/** The first entry: on a line of its own where the text has lines, or is nothing but this. */
function filling(text, node, insert) {
  const inside = { from: node.start + 1, to: node.end - 1 };
  if (!text.includes("\n") && text.trim().length > 2) return { ...inside, insert };
  const [margin] = text.slice(text.lastIndexOf("\n", node.start) + 1).match(/[ \t]*/) ?? [""];
  return { ...inside, insert: `\n${margin}${UNIT}${insert}\n${margin}` };
}

/** Take the member or item away, with its comma. A place that is not there changes nothing. Throws JsonError. */
export function removeAt(text, pointer) {
  return applied(text, removingAt(text, pointer));
}

/** The edits that `removeAt` makes, in order: a repeated name goes everywhere, or an earlier value would come up. */
function removingAt(text, pointer) {
  const names = namesOf(pointer);
  if (!names.length) throw new RangeError("The whole cannot be removed");
  const parent = names.slice(0, -1).reduce(childOf, parse(text));
  const name = names.at(-1);
  if (parent?.type === "array") return removing(parent, parent.items, (_, index) => index === indexOf(name));
  if (parent?.type !== "object") return [];
  return removing(parent, parent.members.map(spanOfMember), (_, index) => parent.members[index].key === name);
}

function removing(node, entries, isGone) {
  if (entries.length && entries.every(isGone))
    return [{ from: node.start + 1, to: node.end - 1, insert: "" }];
  const firstKept = entries.findIndex((entry, index) => !isGone(entry, index));
  return entries.flatMap((entry, index) => {
    if (!isGone(entry, index)) return [];
    // Before the first one that stays, white space and comma behind it go; else those before it.
    if (index < firstKept) return [{ from: entry.start, to: entries[index + 1].start, insert: "" }];
    return [{ from: entries[index - 1].end, to: entry.end, insert: "" }];
  });
}

/** The text after edits that do not overlap. */
function applied(text, edits) {
  return [...edits]
    .sort((one, other) => other.from - one.from)
    .reduce((whole, { from, to, insert }) => whole.slice(0, from) + insert + whole.slice(to), text);
}
