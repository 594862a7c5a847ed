import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { generationOf } from "../../src/core/generation.js";
import { parseKeystore } from "../../src/file/document.js";
import { create } from "./support/key-record.js";
import { makeWorld, NOW, type World } from "./support/memory-io.js";

interface Waited {
  readonly url: string;
  readonly state: string;
  readonly generation: string | null;
  readonly workers: number | null;
  readonly workers_current: number | null;
}
interface Revoked {
  readonly changed: { state: string }[];
  readonly waited: Waited[];
  readonly error?: { code: string };
}

/** A server whose `/status` says what the test wants. */
async function statusServer(status: (asked: number) => unknown): Promise<string> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    response.statusCode = request.url === "/status" ? 200 : 404;
    response.end(JSON.stringify(status(asked)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function generationIn(world: World): string {
  const { keystore } = parseKeystore(Buffer.from(world.read()), { nowMs: NOW });
  if (keystore === undefined) throw new Error("no keystore");
  return generationOf(keystore);
}

/** What a server with one worker says that has the file's keys in force. */
const current = (world: World) => (): unknown => ({
  generation: generationIn(world),
  workers: 1,
  workers_current: 1,
});

async function worldWithKeys(): Promise<{ world: World; fingerprint: string }> {
  const world = makeWorld();
  const { fingerprint } = await create(world, "--id", "alice");
  await create(world, "--id", "bob");
  return { world, fingerprint };
}

async function revoke(
  world: World,
  ...args: string[]
): Promise<Revoked & { readonly status: number }> {
  const { status, stdout } = await world.keys(["revoke", "--yes", "--json", ...args]);
  return { ...(JSON.parse(stdout) as Revoked), status };
}

describe("keys revoke --wait", () => {
  it("waits until every worker of every server has the new generation", async () => {
    const { world, fingerprint } = await worldWithKeys();
    const old = generationIn(world);
    const late = await statusServer((asked) => {
      const workers = { workers: 2, workers_current: asked < 4 ? 1 : 2 };
      return { generation: asked < 2 ? old : generationIn(world), ...workers };
    });
    const soon = await statusServer(current(world));
    const { status, changed, waited } = await revoke(world, fingerprint, "--wait", late, soon);
    expect(status).toBe(0);
    expect(changed).toMatchObject([{ state: "revoked" }]);
    const generation = generationIn(world);
    expect(generation).not.toBe(old);
    expect(waited).toEqual([
      { url: late, state: "current", generation, workers: 2, workers_current: 2 },
      { url: soon, state: "current", generation, workers: 1, workers_current: 1 },
    ]);
  });

  it("names those that lag, are down, or are no verify server; the key is revoked all the same", async () => {
    const { world, fingerprint } = await worldWithKeys();
    const old = generationIn(world);
    const behind = await statusServer(() => ({ generation: old, workers: 1, workers_current: 1 }));
    const half = await statusServer(() => ({
      ...{ generation: generationIn(world), workers: 2, workers_current: 1 },
    }));
    const down = "http://127.0.0.1:9";
    const odd = await statusServer(() => ({ generation: 7 }));
    const fine = await statusServer(current(world));
    const servers = [behind, half, down, odd, fine];
    const args = [fingerprint, ...servers.flatMap((url) => ["--wait", url]), "--timeout", "3s"];
    const { status, changed, waited } = await revoke(world, ...args);
    expect(status).toBe(1);
    expect(changed).toMatchObject([{ state: "revoked" }]);
    expect(waited.map(({ state }) => state)).toEqual([
      ...["behind", "behind", "unreachable", "invalid", "current"],
    ]);
    const { stderr } = await world.keys(["revoke", "--yes", ...args]);
    const problem = stderr.split("\n").find((line) => line.includes("error:")) ?? "";
    for (const url of servers) expect(problem.includes(url), url).toBe(url !== fine);
  });

  it("waits where nothing was left to revoke, and for the file as it is by then", async () => {
    const { world, fingerprint } = await worldWithKeys();
    await revoke(world, fingerprint);
    const generations: string[] = [];
    const url = await statusServer((asked) => {
      // Somebody else edits the file while it is waited for.
      if (asked === 1) world.write("keys.yaml", world.read().replace("id: bob", "id: robert"));
      generations.push(generationIn(world));
      const generation = asked < 3 ? generations[0]?.replace(/./g, "0") : generations.at(-1);
      return { generation, workers: 1, workers_current: 1 };
    });
    const { status, changed, waited } = await revoke(world, fingerprint, "--wait", url);
    expect([status, changed]).toEqual([0, []]);
    expect(waited).toMatchObject([{ state: "current", generation: generationIn(world) }]);
  });

  it("asks nobody where no server would load the file", async () => {
    const { world, fingerprint } = await worldWithKeys();
    world.write("keys.yaml", `${world.read()}retired_api_keys:\n  x: { id: y }\n`);
    let asked = 0;
    const url = await statusServer(() => (asked += 1));
    const { status, changed, waited } = await revoke(world, fingerprint, "--wait", url);
    expect(status).toBe(3);
    expect(changed).toMatchObject([{ state: "revoked" }]);
    expect(waited).toMatchObject([{ url, state: "not-asked" }]);
    expect(asked).toBe(0);
  });

  it("ends the wait at Ctrl-C, with what was seen, and the key revoked", async () => {
    const { world, fingerprint } = await worldWithKeys();
    const url = await statusServer((asked) => {
      if (asked === 2) world.signal("SIGINT");
      return { generation: "0".repeat(16), workers: 1, workers_current: 1 };
    });
    const { status, changed, waited } = await revoke(world, fingerprint, "--wait", url);
    expect(status).toBe(130);
    expect(changed).toMatchObject([{ state: "revoked" }]);
    expect(waited).toMatchObject([
      { url, state: expect.stringMatching(/behind|unreachable/) as unknown },
    ]);
  });

  it("takes a key behind the URLs, and asks nobody with --dry-run", async () => {
    const { world, fingerprint } = await worldWithKeys();
    let asked = 0;
    const url = await statusServer(() => {
      asked += 1;
      return current(world)();
    });
    await revoke(world, "--dry-run", "--wait", url, fingerprint);
    expect(asked).toBe(0);
    const { status, changed } = await revoke(world, "--wait", url, fingerprint);
    expect([status, changed.length]).toEqual([0, 1]);
  });

  it.each([
    [["--timeout", "5s"], "usage"],
    [["--wait", "http://127.0.0.1:9", "--timeout", "soon"], "value-invalid"],
    [["--wait", "ftp://127.0.0.1:9"], "value-invalid"],
    [["--wait", "http://u:p@127.0.0.1:9"], "value-invalid"],
    [["--wait", "c1f29e0ba7d3"], "usage"],
    [["--wait", "http://127.0.0.1:9", "c1f29e0ba7d3"], "usage"],
  ])("refuses %j before anything changes", async (args, code) => {
    const { world, fingerprint } = await worldWithKeys();
    const before = world.read();
    const { status, error } = await revoke(world, fingerprint, ...args);
    expect([status, error?.code]).toEqual([2, code]);
    expect(world.read()).toBe(before);
  });
});
