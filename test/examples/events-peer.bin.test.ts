import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { binEnv, nodePath } from "../helpers/bin.js";
import { mintToken, temporaryDirectory } from "../helpers/keystores.js";
import { eventually } from "../server/eventually.js";

const root = join(import.meta.dirname, "../..");
const KILLS = process.env["KEYHOLD_SHORT"] === "1" ? 3 : 12;
/** So that nothing reaches the database before a kill, in milliseconds. */
const LATE = "600000";

const tokens = { alice: mintToken(), bob: mintToken(), reader: mintToken() };

interface Peer {
  readonly child: ChildProcess;
  readonly recovered: { readonly events: number; readonly skipped: number };
  readonly post: (token: string, body: unknown) => Promise<Response>;
  readonly status: () => Promise<{ events: number; skipped: number; waiting: number }>;
  readonly errors: () => string;
  readonly end: (signal: NodeJS.Signals) => Promise<void>;
}

/** A directory with a keystore. */
function workplace(): string {
  const directory = temporaryDirectory();
  const entries = Object.entries(tokens).map(
    ([id, token]) =>
      `  "${digestOf(token)}":\n    id: ${id}\n    scopes: events:${id === "reader" ? "read" : "write"}\n`,
  );
  writeFileSync(join(directory, "keys.yaml"), `api_keys:\n${entries.join("")}`, { mode: 0o600 });
  return directory;
}

/** Starts the example as a reader would. */
async function start(directory: string, every = "5"): Promise<Peer> {
  const data = join(directory, "data");
  const child = spawn(
    nodePath,
    ["examples/events-peer/server.js", "--keystore", join(directory, "keys.yaml")].concat([
      "--data",
      data,
      "--port",
      "0",
      "--apply-every",
      every,
    ]),
    { cwd: root, env: binEnv(), stdio: ["ignore", "pipe", "pipe"] },
  );
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  onTestFinished(() => end("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { value, done } = (await lines.next()) as { value: string; done?: boolean };
    if (done === true) throw new Error(`the example ended: ${errors}`);
    return value;
  };
  const recovered = JSON.parse((await line()).replace("recovered: ", "")) as Peer["recovered"];
  const url = `http://127.0.0.1:${(await line()).split(" ").at(-1) ?? ""}`;
  return {
    child,
    recovered,
    errors: () => errors,
    end,
    post: (token, body) =>
      fetch(`${url}/events`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    status: async () =>
      (await (await fetch(`${url}/status`)).json()) as Awaited<ReturnType<Peer["status"]>>,
  };
}

/** Rows of the database of a peer that has ended. */
function rows(directory: string, query: string): unknown[] {
  const db = new Database(join(directory, "data", "events.db"));
  try {
    return db.prepare(query).raw().all();
  } finally {
    db.close();
  }
}

const queueOf = (directory: string): string => join(directory, "data", "events.queue");
const MAKERS = "SELECT id, created_by FROM nodes ORDER BY id";

it("says whose each thing is, whatever an event says", async () => {
  const directory = workplace();
  const peer = await start(directory);
  const lie = {
    session: "s1",
    created_by: "root",
    nodes: [{ id: "n1", label: "one", created_by: "root" }],
    edges: [{ from: "n1", to: "n2", kind: "knows", created_by: "root" }],
    ["__proto__"]: 1,
  };
  const text = JSON.stringify(lie).replace("{", '{"__proto__":{"created_by":"root"},');
  const taken = await peer.post(tokens.alice, text);
  expect(taken.status).toBe(202);
  expect(await taken.json()).toMatchObject({ created_by: "alice", session: { owner: "alice" } });
  await eventually(async () => (await peer.status()).waiting).toBe(0);
  await peer.end("SIGTERM");
  expect(rows(directory, "SELECT created_by FROM events")).toEqual([["alice"]]);
  expect(rows(directory, MAKERS)).toEqual([
    ["n1", "alice"],
    ["n2", null],
  ]);
  expect(readFileSync(queueOf(directory), "utf8")).not.toMatch(/root|__proto__/);
});

it("keeps the first maker of a node and an edge, and the first owner of a session", async () => {
  const directory = workplace();
  const peer = await start(directory);
  const edge = { from: "n1", to: "n2", kind: "knows" };
  await peer.post(tokens.alice, { session: "s1", nodes: [{ id: "n1" }], edges: [edge] });
  const second = await peer.post(tokens.bob, {
    session: "s1",
    nodes: [{ id: "n1", label: "bob's now" }, { id: "n2" }],
    edges: [edge],
  });
  expect(second.status).toBe(202);
  expect(await second.json()).toMatchObject({
    created_by: "bob",
    session: { owner: "alice", error: "session-conflict" },
  });
  expect(peer.errors()).toContain("was used by bob");
  await peer.end("SIGTERM");
  expect(rows(directory, "SELECT id, label, created_by FROM nodes ORDER BY id")).toEqual([
    ["n1", "bob's now", "alice"],
    // A placeholder until bob said it himself.
    ["n2", null, "bob"],
  ]);
  expect(rows(directory, "SELECT created_by FROM edges")).toEqual([["alice"]]);
  expect(rows(directory, "SELECT * FROM sessions")).toEqual([["s1", "alice"]]);
  for (const table of ["nodes", "edges"]) {
    expect(() => rows(directory, `UPDATE ${table} SET created_by = 'bob' RETURNING 1`)).toThrow(
      "written once",
    );
  }
  // The owner is remembered over a restart.
  const again = await start(directory);
  const third = await again.post(tokens.bob, { session: "s1" });
  expect(await third.json()).toMatchObject({ session: { owner: "alice" } });
});

it("writes nothing for a bad token, a missing scope, a bad event or too long a body", async () => {
  const directory = workplace();
  const peer = await start(directory);
  const event = { session: "s1", nodes: [{ id: "n1" }] };
  const statuses: number[] = [];
  for (const [token, body] of [
    ["nobodys", event],
    [tokens.reader, event],
    [tokens.alice, "{"],
    [tokens.alice, { session: "", nodes: [] }],
    [tokens.alice, { session: "s", nodes: [{ id: 1 }] }],
    [tokens.alice, { session: "s", more: "x".repeat(70_000) }],
  ] as const) {
    statuses.push((await peer.post(token, body)).status);
  }
  expect(statuses).toEqual([401, 403, 400, 400, 400, 413]);
  expect(await peer.status()).toMatchObject({ events: 0, waiting: 0 });
  await peer.end("SIGTERM");
  expect(readFileSync(queueOf(directory), "utf8")).toBe("");
  expect(peer.errors()).toBe("");
});

it("loses nothing to kill -9 between the 202 and the database", { timeout: 120_000 }, async () => {
  const directory = workplace();
  const sent = new Set<string>();
  for (let round = 0; round < KILLS; round += 1) {
    // Every other round the database keeps up, and the kill comes anywhere.
    const peer = await start(directory, round % 2 === 0 ? LATE : "0");
    expect(peer.recovered.events).toBe(sent.size);
    const posts = Array.from({ length: 20 }, async (_, n) => {
      const id = `n-${String(round)}-${String(n)}`;
      const answer = await peer.post(tokens.alice, { session: "s", nodes: [{ id }] });
      if (answer.status === 202) sent.add(id);
    });
    await Promise.all(posts);
    if (round === 0) expect((await peer.status()).events).toBe(0);
    await peer.end("SIGKILL");
  }
  expect(sent.size).toBe(KILLS * 20);
  const last = await start(directory);
  await last.end("SIGTERM");
  expect(rows(directory, MAKERS).sort()).toEqual([...sent].map((id) => [id, "alice"]).sort());
});

it("loses nothing that was answered to kill -9 in the middle of requests", async () => {
  const directory = workplace();
  const peer = await start(directory, "0");
  const answered = new Set<string>();
  const posts = Array.from({ length: 200 }, async (_, n) => {
    const id = `n-${String(n)}`;
    try {
      const { status } = await peer.post(tokens.alice, { session: "s", nodes: [{ id }] });
      if (status === 202) answered.add(id);
      if (answered.size === 50) peer.child.kill("SIGKILL");
    } catch {
      // Cut off without an answer: nothing was promised.
    }
  });
  await Promise.all(posts);
  expect(answered.size).toBeGreaterThanOrEqual(50);
  await (await start(directory)).end("SIGTERM");
  const stored = new Set(rows(directory, "SELECT id FROM nodes").flat());
  expect([...answered].filter((id) => !stored.has(id))).toEqual([]);
});

it("skips and counts torn and garbage lines, and applies what stands around them", async () => {
  const directory = workplace();
  const first = await start(directory, LATE);
  await first.post(tokens.alice, { session: "s", nodes: [{ id: "n1" }] });
  await first.end("SIGKILL");
  const queue = queueOf(directory);
  const whole = readFileSync(queue, "utf8");
  appendFileSync(
    queue,
    "garbage\n\x00\xff\n" + whole.replace("alice", "mallo") + whole.slice(0, 50),
  );
  const second = await start(directory, LATE);
  expect(second.recovered).toMatchObject({ events: 1, skipped: 4 });
  await second.post(tokens.bob, { session: "t", nodes: [{ id: "n2" }] });
  await second.end("SIGKILL");
  const third = await start(directory);
  expect(third.recovered).toMatchObject({ events: 2, skipped: 4 });
  await third.end("SIGTERM");
  expect(rows(directory, MAKERS)).toEqual([
    ["n1", "alice"],
    ["n2", "bob"],
  ]);
});

it("can apply the whole queue again, and into a new database", async () => {
  const directory = workplace();
  const first = await start(directory);
  for (const session of ["a", "b"]) {
    await first.post(tokens.alice, { session, nodes: [{ id: session }] });
  }
  await first.end("SIGTERM");
  const graph = (): unknown[] => [
    ...rows(directory, "SELECT * FROM events ORDER BY id"),
    ...rows(directory, "SELECT * FROM nodes ORDER BY id"),
  ];
  const before = graph();
  expect(before).toHaveLength(4);
  rows(directory, "UPDATE progress SET queue_offset = 0 RETURNING 1");
  await (await start(directory)).end("SIGTERM");
  expect(graph()).toEqual(before);
  for (const suffix of ["", "-wal", "-shm"]) {
    const file = join(directory, "data", `events.db${suffix}`);
    if (existsSync(file)) rmSync(file);
  }
  await (await start(directory)).end("SIGTERM");
  expect(graph()).toEqual(before);
});

it("follows the keystore: a revoked key is refused", async () => {
  const directory = workplace();
  const peer = await start(directory);
  expect((await peer.post(tokens.alice, { session: "s" })).status).toBe(202);
  const file = join(directory, "keys.yaml");
  const text = readFileSync(file, "utf8").replace(digestOf(tokens.alice), digestOf(mintToken()));
  writeFileSync(file, text);
  await eventually(async () => (await peer.post(tokens.alice, { session: "s" })).status).toBe(401);
});

describe("a start that can't be", () => {
  /** Runs the example to its end. */
  async function run(...args: readonly string[]): Promise<{ status: unknown; said: string }> {
    const options = { cwd: root, env: binEnv() };
    const child = spawn(nodePath, ["examples/events-peer/server.js", ...args], options);
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    const [status] = (await once(child, "close")) as [unknown];
    return { status, said };
  }

  it("prints its usage with --help", async () => {
    const { status, said } = await run("--help");
    expect([status, said]).toEqual([0, expect.stringMatching(/^usage: /)]);
  });

  it.each([
    [["--keystone", "a"], 2],
    [["--port", "99999"], 2],
    [["--apply-every", "soon"], 2],
    [["more"], 2],
    [["--keystore", "none.yaml"], 1],
    [["--keystore", "."], 1],
    [["--keystore", "GOOD", "--data", "GOOD"], 1],
    [["--keystore", "GOOD", "--data", "DATA", "--port", "TAKEN"], 1],
  ])("says why %s is none, and ends with %i", async (args, expected) => {
    const directory = workplace();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => {
      taken.close();
    });
    const names: Readonly<Record<string, string>> = {
      GOOD: join(directory, "keys.yaml"),
      DATA: join(directory, "data"),
      TAKEN: String((taken.address() as AddressInfo).port),
    };
    const { status, said } = await run(...args.map((arg) => names[arg] ?? arg));
    expect(status).toBe(expected);
    expect(said).toMatch(/^events-peer: \S/m);
    expect(said).not.toMatch(/^ {4}at /m);
    expect(said.includes("usage: ")).toBe(expected === 2);
  });
});
