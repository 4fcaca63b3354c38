// Which events say that something failed, and which that no more comes. Pure; the server judges an end alike.

const SENTINEL = "[DONE]"; // some servers say by it that no more comes

export const isSentinel = (text) => text.trim() === SENTINEL;

const FAILED = new Set(["error", "failed"]); // words of a `type` or `status`
const WORDS = ["message", "msg", "detail", "reason", "type", "code"]; // of an error; a metric has none
// An object with nothing but these is an error when it has a `detail`.
const ERROR_NAMES = new Set(["error", "detail", "error_type", "status_code", "status", "type", "reason"]);

/** Whether an event of this name and value says so. What lies deeper inside an output is the output's own. */
export function hasFailed(value, name = "") {
  if (name.toLowerCase() === "error") return true;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  if ([value.type, value.status].some((word) => FAILED.has(String(word).toLowerCase()))) return true;
  if (isError(value.error)) return true;
  return isError(value.detail) && Object.keys(value).every((key) => ERROR_NAMES.has(key));
}

/** Words, or yes. null, "", false and a number (a model's metric) are none. */
function isError(told) {
  if (Array.isArray(told)) return told.some(isError);
  if (told !== null && typeof told === "object") return WORDS.some((name) => told[name]);
  return told === true || (typeof told === "string" && told.trim() !== "");
}
