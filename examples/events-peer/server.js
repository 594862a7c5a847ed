// A small service that takes events from many contributors and knows whose each is:
//
//   keys create --id alice --scopes events:write --file keys.yaml
//   node examples/events-peer/server.js --keystore keys.yaml --data data --port 8080
//
// README.md beside this file says how it works.
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { createVerdictAnswers, createVerifier } from "keyhold";
import { SessionOwners, stamp } from "keyhold/provenance";
import { createApplier } from "./applier.js";
import { openDatabase } from "./database.js";
import { parseEvent } from "./event.js";
import { Queue } from "./queue.js";
import { readSettings, USAGE } from "./settings.js";

/** Longest body, in octets. */
const BODY_OCTETS = 64 * 1024;

const settings = await orEnd(2, () => readSettings(process.argv.slice(2)));
if (settings === undefined) {
  console.log(USAGE);
  process.exit(0);
}
const { keystore, data, port, applyEvery } = settings;

const verifier = await orEnd(1, () =>
  createVerifier({
    file: keystore,
    onError: ({ message }) => console.error(`the last good keystore stays in force: ${message}`),
  }),
);
const answers = createVerdictAnswers("events");

const [queue, database] = await orEnd(1, async () => {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return [await Queue.open(join(data, "events.queue")), openDatabase(join(data, "events.db"))];
});
const applier = createApplier(queue, database);
const owners = new SessionOwners({
  stored: (session) => database.ownerOf(session),
  onConflict: ({ session, owner, claimant }) =>
    console.error(`session ${JSON.stringify(session)} of ${owner} was used by ${claimant}`),
});

// What a crash has left between the two.
await orEnd(1, () => applier.run());
console.log(`recovered: ${JSON.stringify(database.progress())}`);

/** Does a part of the start, or ends with a sentence: 2 where the command is wrong, else 1. */
async function orEnd(status, begin) {
  try {
    return await begin();
  } catch (error) {
    console.error(`events-peer: ${error.message}`);
    // Hints name the option of the command line; ours is another.
    const hint = error.hint?.replace("--file or KEYS_FILE", "--keystore");
    if (hint !== undefined) console.error(`hint: ${hint}`);
    if (status === 2) console.error(USAGE);
    process.exit(status);
  }
}

let timer;
function applySoon() {
  timer ??= setTimeout(() => {
    timer = undefined;
    applier.run().catch((error) => console.error(`the database is behind: ${error.message}`));
  }, applyEvery);
}

async function ingest(request, response) {
  // Whose it is, before anything of the body is read.
  const verdict = verifier.verify(request, { scopes: ["events:write"] });
  if (!verdict.ok) {
    const { status, headers, body } = answers(verdict);
    response.writeHead(status, headers).end(body);
    return;
  }
  const text = await readBody(request);
  if (text === undefined) {
    response.setHeader("Connection", "close");
    send(response, 413, { error: "body_too_large" });
    return;
  }
  const event = parseEvent(text);
  if (event === undefined) {
    send(response, 400, { error: "bad_event" });
    return;
  }
  const record = {
    id: randomUUID(),
    received_at: new Date().toISOString(),
    event: stamp(event, verdict.identity),
  };
  await queue.append(record);
  // In the queue's order, so that the database will agree on who was first.
  const claim = owners.claim(event.session, verdict.identity);
  applySoon();
  send(response, 202, {
    id: record.id,
    created_by: record.event.created_by,
    session: claim.ok
      ? { owner: claim.owner }
      : { owner: claim.error.owner, error: claim.error.code },
  });
}

const server = createServer((request, response) => {
  const [path] = request.url.split("?");
  if (path === "/status" && request.method === "GET") {
    const progress = database.progress();
    send(response, 200, { ...progress, waiting: queue.end - progress.offset });
  } else if (path !== "/events") {
    send(response, 404, { error: "not_found" });
  } else if (request.method !== "POST") {
    response.setHeader("Allow", "POST");
    send(response, 405, { error: "method_not_allowed" });
  } else {
    ingest(request, response).catch((error) => {
      console.error(`an event was not taken: ${error.message}`);
      if (!response.headersSent) send(response, 503, { error: "unavailable" });
    });
  }
});
server.requestTimeout = 10_000;

function send(response, status, value) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(value));
}

/** The body as text; undefined where it is too long. */
async function readBody(request) {
  const chunks = [];
  let octets = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    octets += chunk.length;
    if (octets > BODY_OCTETS) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function stop() {
  verifier.close();
  server.close();
  server.closeIdleConnections();
  clearTimeout(timer);
  await applier.run();
  await queue.close();
  database.close();
}
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());

server.once("error", (error) => orEnd(1, () => Promise.reject(error)));
server.listen(port, "127.0.0.1", () => {
  console.log(`listening on ${server.address().port}`);
});
