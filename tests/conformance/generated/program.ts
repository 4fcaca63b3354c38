// Types made from docs/openapi.json, used against a running installation; prints what it saw as JSON.
import type { components, operations, paths } from "./faldeck.d.ts";

declare const process: { env: Record<string, string> };

type Schemas = components["schemas"];
type Ok<Name extends keyof operations> = operations[Name] extends {
  responses: { 200: { content: { "application/json": infer Body } } };
}
  ? Body
  : never;
type Query = NonNullable<paths["/api/v1/requests/"]["get"]["parameters"]["query"]>;

const base = `${process.env["FALDECK_URL"]}/api/v1`;
const headers = {
  Authorization: `Bearer ${process.env["FALDECK_TOKEN"]}`,
  "Content-Type": "application/json",
};

async function get<Name extends keyof operations>(path: string): Promise<Ok<Name>> {
  const reply = await fetch(base + path, { headers });
  if (!reply.ok) throw new Error(`${reply.status}: ${await reply.text()}`);
  return (await reply.json()) as Ok<Name>;
}

async function submit(body: Schemas["NewRequest"], wait: number): Promise<Ok<"requests_create">> {
  const reply = await fetch(`${base}/requests/?wait=${wait}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${reply.status}: ${await reply.text()}`);
  return (await reply.json()) as Ok<"requests_create">;
}

// What the types are for: each of these lines must be an error.
// @ts-expect-error
const noStatus: Schemas["Status"] = "finished";
// @ts-expect-error
const noMode: Schemas["NewRequest"] = { endpoint_id: "a/b", input: {}, mode: "sometimes" };
// @ts-expect-error
const noFilter: Query = { staus: ["failed"] };
// @ts-expect-error
const noOutput = (row: Schemas["RequestOut"]) => row.output;
void [noStatus, noMode, noFilter, noOutput];

function doubled(output: Schemas["RequestDetail"]["output"]): unknown {
  return typeof output === "object" && output && !Array.isArray(output) ? output["doubled"] : null;
}

/** The words of one event of `events/`, by its kind. */
function said(event: Schemas["RequestEvent"]): string {
  switch (event.event) {
    case "status":
      return event.data.status;
    case "log":
      return event.data.message;
    case "frame":
      return event.data.data;
    case "end":
      return event.data.status;
  }
}

const made = await submit(
  { endpoint_id: "sandbox/echo", input: { number: 4 }, mode: "queue", allow_duplicate: true },
  60,
);
if (!("output" in made)) throw new Error("The reply to a call that waits has no output.");
const patient = await submit(
  { endpoint_id: "sandbox/patient", input: { seconds: 300 }, allow_duplicate: true },
  0,
);
const cancel = await fetch(`${base}/requests/${patient.id}/cancel/`, { method: "POST", headers });
const asked = (await cancel.json()) as Ok<"requests_cancel">;
const ended = await get<"requests_read">(`/requests/${patient.id}/?wait=60`);
const query: Query = { status: ["completed"], limit: 50 };
const listed = await get<"requests_list">(`/requests/?status=${query.status}&limit=${query.limit}`);

const stream = await fetch(`${base}/requests/${made.id}/events/`, { headers });
const events = (await stream.text()).split("\n\n").filter((text) => text.startsWith("event: "));
const last = Object.fromEntries(
  events[events.length - 1]!.split("\n").map((line) => line.split(/: (.*)/s)),
) as { event: "end"; id: string; data: string };

console.log(
  JSON.stringify({
    submitted: [made.status, doubled(made.output)],
    cancel: asked.answer,
    cancelled: ended.status,
    listed: listed.items.some((row) => row.id === made.id && row.mode === "queue"),
    said: said({ ...last, data: JSON.parse(last.data) as Schemas["RequestOut"] }),
  }),
);
