// Drives the sandbox with fal's own JavaScript client. Each step prints one JSON line:
// {"step": name, "value": what the client saw}. The Python side asserts on them.
import { createFalClient } from "@fal-ai/client";
import { WebSocket } from "ws";

const base = process.env.SANDBOX_URL;

// The client's hosts are fixed in its source: requests and sockets are led to the sandbox instead.
const led = (url) =>
  url
    .replace(/^https:\/\/queue\.fal\.run/, `${base}/queue`)
    .replace(/^https:\/\/fal\.run/, `${base}/run`)
    .replace(/^https:\/\/rest\.fal\.ai/, `${base}/rest`)
    .replace(/^wss:\/\/fal\.run/, `${base.replace(/^http/, "ws")}/run`);

globalThis.WebSocket = class extends WebSocket {
  constructor(url, protocols) {
    super(led(String(url)), protocols);
  }
};

const clientFor = (credentials) =>
  createFalClient({ credentials, fetch: (url, options) => fetch(led(String(url)), options) });
const fal = clientFor(process.env.FAL_KEY);

const report = (step, value) => console.log(JSON.stringify({ step, value }));
const failure = (error) => ({ name: error.name, status: error.status, body: error.body });
const faults = (method, rules) =>
  fetch(`${base}/control/faults`, {
    method,
    headers: { Authorization: `Key ${process.env.FAL_KEY}` },
    body: rules && JSON.stringify(rules),
  });
const ended = async (endpoint, requestId) =>
  fal.queue.subscribeToStatus(endpoint, { requestId, logs: true, pollInterval: 20 });

async function run() {
  const { data, requestId } = await fal.run("sandbox/echo", { input: { number: 21 } });
  report("run", { data, hasId: Boolean(requestId) });
}

async function queue() {
  const endpoint = "fal-ai/fast-sdxl/image-to-image";
  const input = { image_url: `${base}/none.png`, prompt: "a fox", seed: 7 };
  await faults("POST", [{ when: "end", do: "hold", endpoint, times: null }]);
  const submitted = await fal.queue.submit(endpoint, { input });
  report("submit", submitted);
  const requestId = submitted.request_id;
  report("status", await fal.queue.status(endpoint, { requestId }));
  await faults("DELETE");
  report("completed", await ended(endpoint, requestId));
  report("result", await fal.queue.result(endpoint, { requestId }));
}

async function cancel() {
  const endpoint = "sandbox/patient";
  const { request_id: requestId } = await fal.queue.submit(endpoint, { input: { seconds: 30 } });
  await fal.queue.cancel(endpoint, { requestId });
  const status = await ended(endpoint, requestId);
  report("cancelled", { status, result: await fal.queue.result(endpoint, { requestId }).catch(failure) });
  report("cancel again", await fal.queue.cancel(endpoint, { requestId }).catch(failure));
}

async function subscribe(mode) {
  const updates = [];
  const { data } = await fal.subscribe("sandbox/slow", {
    input: { steps: 3, seconds_per_step: 0.05 },
    logs: true,
    mode,
    pollInterval: 20,
    onQueueUpdate: (update) =>
      updates.push({ status: update.status, logs: (update.logs ?? []).map((line) => line.message) }),
  });
  report(`subscribe ${mode}`, { data, updates });
}

async function errors() {
  report("invalid", await fal.subscribe("sandbox/strict", { input: { prompt: "x" } }).catch(failure));
  report("unknown", await fal.run("sandbox/nothing", { input: { a: 1 } }).catch(failure));
  const stranger = clientFor("wrong:key");
  report("wrong key", await stranger.run("sandbox/echo", { input: { a: 1 } }).catch(failure));
}

async function stream(connectionMode) {
  const events = [];
  const input = { words: 4, delay_s: 0.01 };
  const opened = await fal.stream("sandbox/text", { input, connectionMode });
  for await (const event of opened) events.push(event);
  report("stream", { events, last: await opened.done() });
}

async function realtime() {
  const results = [];
  const image = new Uint8Array([0, 1, 254, 255]);
  await new Promise((resolve, reject) => {
    const connection = fal.realtime.connect("sandbox/echo", {
      throttleInterval: 0,
      onResult: (result) => {
        results.push({ ...result, image: Array.from(result.image) });
        if (results.length === 3) resolve(connection.close());
      },
      onError: reject,
    });
    connection.send({ number: 1.5, image, outputs: 3, request_id: "mine" });
  });
  report("realtime", results);
  const error = await new Promise((resolve) => {
    const connection = fal.realtime.connect("sandbox/echo", {
      throttleInterval: 0,
      onResult: () => {},
      onError: resolve,
    });
    connection.send({ error: "on purpose" });
  });
  report("realtime error", failure(error));
}

async function upload() {
  const file = new File(["from a file"], "note.txt", { type: "text/plain" });
  const url = await fal.storage.upload(file);
  const reply = await fetch(url);
  report("upload", { url, type: reply.headers.get("content-type"), text: await reply.text() });
  const { data } = await fal.run("sandbox/echo", { input: { message: "with a file", file } });
  report("upload in input", await (await fetch(data.file)).text());
}

async function multipart() {
  const size = 90 * 1024 * 1024 + 5;
  const bytes = new Uint8Array(size).fill(7);
  bytes[size - 1] = 9;
  const url = await fal.storage.upload(new Blob([bytes], { type: "application/x-test" }));
  const back = new Uint8Array(await (await fetch(url)).arrayBuffer());
  report("multipart", { size: back.length, first: back[0], last: back[size - 1] });
}

const steps = [run, queue, cancel, () => subscribe("polling"), () => subscribe("streaming"), errors];
steps.push(() => stream("server"), () => stream("client"), realtime, upload, multipart);
for (const step of steps) await step();
process.exit(0);
