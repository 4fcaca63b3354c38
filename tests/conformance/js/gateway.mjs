// Calls through the gateway with fal's own JavaScript client, set up as the page "Record my code" says.
// Prints one JSON object: what the client saw by step.
import { createFalClient } from "@fal-ai/client";

const fal = createFalClient({
  credentials: process.env.FAL_KEY,
  proxyUrl: { url: process.env.PROXY_URL, when: "always" },
});
const failure = (error) => ({ name: error.name, status: error.status, body: error.body });
const seen = {};

const ran = await fal.run("sandbox/echo", { input: { number: 21 } });
seen.run = { doubled: ran.data.doubled, hasId: Boolean(ran.requestId) };

for (const mode of ["polling", "streaming"]) {
  const states = new Set();
  const { data } = await fal.subscribe("sandbox/slow", {
    input: { steps: 2, seconds_per_step: 0.05 },
    logs: true,
    mode,
    pollInterval: 20,
    onQueueUpdate: (update) => states.add(update.status),
  });
  seen[mode] = { steps: data.steps, isCompleted: states.has("COMPLETED") };
}

const submitted = await fal.queue.submit("sandbox/patient", { input: { seconds: 30 } });
const requestId = submitted.request_id;
await fal.queue.cancel("sandbox/patient", { requestId });
const status = await fal.queue.subscribeToStatus("sandbox/patient", { requestId, pollInterval: 20 });
seen.cancelled = status.error_type;
seen.invalid = await fal.run("sandbox/strict", { input: { prompt: "x" } }).catch(failure);

const events = [];
const stream = await fal.stream("sandbox/text", { input: { words: 4, delay_s: 0.01 } });
for await (const event of stream) events.push(event.partial);
await stream.done();
seen.stream = events;

const url = await fal.storage.upload(new File(["from a file"], "note.txt", { type: "text/plain" }));
seen.upload = await (await fetch(url)).text();

console.log(JSON.stringify(seen));
process.exit(0);
