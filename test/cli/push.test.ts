import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { mintToken } from "../helpers/keystores.js";
import { contractServer, type ContractServer } from "./support/contract-server.js";
import { makeWorld, type CommandResult, type World } from "./support/memory-io.js";

const ADMIN = "admin-token-of-the-operator-0123456789";
const [ALICE, BOB, EVE] = [digestOf(mintToken()), digestOf(mintToken()), digestOf(mintToken())];
const fp = (digest: string): string => digest.slice(0, 12);

interface PushJson {
  readonly added: { id: string }[];
  readonly failed: { action: string; status: number | null; reason: string }[];
  readonly error?: { code: string };
}

function entry(digest: string, id: string, ...more: string[]): string {
  return [`  "${digest}":`, `id: ${id}`, ...more].join("\n    ");
}

function keystore(...entries: string[]): string {
  return entries.length === 0 ? "api_keys: {}\n" : `api_keys:\n${entries.join("\n")}\n`;
}

function retired(digest: string, id: string): string {
  return `retired_api_keys:\n${entry(digest, id, "state: revoked", 'retired_at: "2026-11-01T00:00:00Z"')}\n`;
}

function worldWith(text: string): World {
  const world = makeWorld();
  world.write("keys.yaml", text);
  return world;
}

function push(
  world: World,
  { url }: { readonly url: string },
  ...args: string[]
): Promise<CommandResult> {
  return world.keys(["push", url, "--yes", ...args], { stdin: `${ADMIN}\n` });
}

async function pushed(world: World, server: ContractServer, ...args: string[]): Promise<PushJson> {
  return JSON.parse((await push(world, server, "--json", ...args)).stdout) as PushJson;
}

const writes = ({ seen }: ContractServer): string[] =>
  seen.filter(({ method }) => method !== "GET").map(({ method, path: at }) => `${method} ${at}`);

describe("keys push", () => {
  it("adds, renames and removes until the server has what the file says", async () => {
    const gone = digestOf(mintToken());
    const server = await contractServer({
      adminToken: ADMIN,
      live: { [BOB]: "robert", [EVE]: "eve", [gone]: "gone" },
    });
    const world = worldWith(
      keystore(entry(ALICE, "alice"), entry(BOB, "bob"), entry(EVE, "eve")) + retired(gone, "gone"),
    );
    const before = world.read();
    const { status, stdout } = await push(world, server, "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      url: server.url,
      added: [{ fingerprint: fp(ALICE), id: "alice" }],
      changed: [{ fingerprint: fp(BOB), id: "bob", from: "robert" }],
      removed: [{ fingerprint: fp(gone), id: "gone", why: "revoked" }],
      refused: [],
      unknown: [],
      failed: [],
      unchanged: 1,
      dry_run: false,
    });
    expect(server.live).toEqual(
      new Map(Object.entries({ [BOB]: "bob", [EVE]: "eve", [ALICE]: "alice" })),
    );
    // The revocation went first, and the file is as it was.
    expect(writes(server)[0]).toBe(`DELETE /admin/keys/${gone}`);
    expect(world.read()).toBe(before);
    // Again there is nothing to do, and nobody has to be asked.
    const again = await world.keys(["push", server.url, "--json"], { stdin: ADMIN });
    expect(again.status).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({
      added: [],
      changed: [],
      removed: [],
      unchanged: 3,
    });
    expect(writes(server)).toHaveLength(3);
  });

  it("leaves alone what the file does not know, unless --prune says otherwise", async () => {
    const server = await contractServer({
      adminToken: ADMIN,
      live: { [ALICE]: "alice", [EVE]: "eve" },
    });
    const world = worldWith(keystore(entry(ALICE, "alice")));
    expect(await pushed(world, server)).toMatchObject({
      unknown: [{ fingerprint: fp(EVE), id: "eve" }],
      removed: [],
    });
    expect(server.live.has(EVE)).toBe(true);
    expect(await pushed(world, server, "--prune")).toMatchObject({
      unknown: [],
      removed: [{ fingerprint: fp(EVE), id: "eve", why: "not in the file" }],
    });
    expect(server.live).toEqual(new Map([[ALICE, "alice"]]));
  });

  it("shows the difference and sends nothing with --dry-run", async () => {
    const server = await contractServer({ adminToken: ADMIN, live: { [EVE]: "eve" } });
    const world = worldWith(keystore(entry(ALICE, "alice")));
    const text = await push(world, server, "--dry-run", "--prune");
    expect(text.status).toBe(0);
    expect(text.stdout).toBe(`- ${fp(EVE)} (eve): not in the file\n+ ${fp(ALICE)} (alice)\n`);
    expect(await pushed(world, server, "--dry-run")).toMatchObject({
      dry_run: true,
      added: [{ id: "alice" }],
    });
    expect(writes(server)).toEqual([]);
  });

  it("asks before it changes anything, and elsewhere needs --yes", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    const world = worldWith(keystore(entry(ALICE, "alice")));
    const { status, stdout } = await world.keys(["push", server.url, "--json"], { stdin: ADMIN });
    expect([status, (JSON.parse(stdout) as PushJson).error?.code]).toEqual([
      2,
      "confirmation-required",
    ]);
    expect(server.live.size).toBe(0);
  });

  it("reaches the server with the revocation of the last key", async () => {
    const server = await contractServer({ adminToken: ADMIN, live: { [ALICE]: "alice" } });
    const world = worldWith(keystore(entry(ALICE, "alice")));
    expect((await world.keys(["revoke", fp(ALICE), "--yes"])).status).toBe(0);
    expect((await push(world, server)).status).toBe(0);
    expect(server.live.size).toBe(0);
  });

  it("does not send keys that have expired or do not work yet, and says so", async () => {
    const server = await contractServer({ adminToken: ADMIN, live: { [BOB]: "bob" } });
    const world = worldWith(
      keystore(
        entry(ALICE, "alice", 'not_before: "2027-01-01T00:00:00Z"'),
        entry(BOB, "bob", 'expires_at: "2026-11-22T12:00:00Z"'),
        entry(EVE, "eve"),
      ),
    );
    const { status, stdout } = await push(world, server, "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      added: [{ fingerprint: fp(EVE), id: "eve" }],
      removed: [{ fingerprint: fp(BOB), id: "bob", why: "expired" }],
      refused: [
        { fingerprint: fp(ALICE), id: "alice", reason: "not-yet-valid" },
        { fingerprint: fp(BOB), id: "bob", reason: "expired" },
      ],
    });
    expect(server.live).toEqual(new Map([[EVE, "eve"]]));
  });

  it("does not send the legacy key, nor remove it", async () => {
    const legacy = "the-legacy-secret-of-the-service";
    const server = await contractServer({
      adminToken: ADMIN,
      live: { [digestOf(legacy)]: "owner" },
    });
    const world = worldWith(`api_key: ${legacy}\n${keystore(entry(ALICE, "alice"))}`);
    const result = await push(world, server, "--prune");
    expect(result.status).toBe(0);
    expect(result.stderr).toContain("api_key");
    expect(result.stderr).not.toContain(legacy);
    expect([...server.live.values()].sort()).toEqual(["alice", "owner"]);
  });

  it("warns where the server will hold a key to less than the file does", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    for (const held of ["workspaces: blue", "scopes: apps:read", "rate_limit: 1/1m"]) {
      const bound = worldWith(keystore(entry(ALICE, "alice", held)));
      expect((await push(bound, server, "--dry-run")).stderr).toContain("warning: 1 key has");
    }
    for (const free of [[], ["rate_limit: none"]]) {
      const world = worldWith(keystore(entry(ALICE, "alice", ...free)));
      expect((await push(world, server, "--dry-run")).stderr).not.toContain("warning");
    }
  });

  it("counts keys that the server has already, and says when the next one ends", async () => {
    const server = await contractServer({ adminToken: ADMIN, live: { [ALICE]: "alice" } });
    const ends = (at: string): string => `expires_at: "${at}"`;
    const world = worldWith(
      keystore(
        entry(ALICE, "alice", ends("2026-12-24T00:00:00Z")),
        entry(BOB, "bob", ends("2026-12-23T00:00:00Z")),
      ),
    );
    const { status, stderr } = await push(world, server);
    expect(status).toBe(0);
    expect(stderr).toContain("warning: 2 keys have");
    expect(stderr).toContain("push again after 2026-12-23T00:00:00Z");
  });

  it("goes on after one key's refusal, and lists it", async () => {
    const server = await contractServer({
      adminToken: ADMIN,
      retired: [ALICE],
      legacyToken: "the-legacy-key-of-the-server",
    });
    const legacy = digestOf("the-legacy-key-of-the-server");
    const world = worldWith(
      keystore(
        entry(ALICE, "alice"),
        entry(legacy, "bob"),
        entry(digestOf(ADMIN), "admin"),
        entry(EVE, '" system"'),
        entry(BOB, "bob"),
      ),
    );
    server.intercept = ({ url = "" }, response) => {
      if (!url.endsWith(EVE)) return false;
      response.writeHead(422).end(JSON.stringify({ error: "id_reserved" }));
      return true;
    };
    const { status, stdout } = await push(world, server, "--json");
    expect(status).toBe(1);
    const { added, failed } = JSON.parse(stdout) as PushJson;
    expect(added).toEqual([{ fingerprint: fp(BOB), id: "bob" }]);
    expect(failed.map(({ status: answered }) => answered)).toEqual([409, 409, 409, 422]);
    expect(failed[3]?.reason).toContain("id_reserved");
  });

  it("stops where the server is gone, and says what was done and what not", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    const world = worldWith(keystore(entry(ALICE, "alice"), entry(BOB, "bob"), entry(EVE, "eve")));
    server.intercept = ({ url = "" }, response) => {
      if (!url.endsWith(BOB)) return false;
      response.destroy();
      return true;
    };
    const { status, stdout, stderr } = await push(world, server, "--json");
    expect(status).toBe(1);
    const { added, failed } = JSON.parse(stdout) as PushJson;
    expect(added.map(({ id }) => id)).toEqual(["alice"]);
    expect(failed.map(({ reason }) => reason)).toEqual(["not known to be done", "not tried"]);
    expect(stderr).toContain("keys: error:");
    // The same again does the rest.
    server.intercept = () => false;
    expect(await pushed(world, server)).toMatchObject({ unchanged: 1, failed: [] });
    expect([...server.live.values()].sort()).toEqual(["alice", "bob", "eve"]);
  });

  it("never leaves the server without a key by --prune, unless --yes is given", async () => {
    const server = await contractServer({ adminToken: ADMIN, live: { [EVE]: "eve" } });
    const world = worldWith("api_keys: {}\n");
    const asked = await world.keys(["push", server.url, "--prune"], { stdin: ADMIN });
    expect(asked.status).toBe(2);
    expect(asked.stderr).toContain("--prune");
    expect(server.live.size).toBe(1);
    expect((await push(world, server, "--prune")).status).toBe(0);
    expect(server.live.size).toBe(0);
  });
});

describe("a server that keys push can't use", () => {
  const text = keystore(entry(ALICE, "alice"));
  const codeOf = async (server: { readonly url: string }): Promise<readonly [number, unknown]> => {
    const { status, stdout, stderr } = await push(worldWith(text), server, "--json");
    expect(`${stdout}${stderr}`).not.toContain(ADMIN);
    return [status, (JSON.parse(stdout) as PushJson).error?.code];
  };

  it("tells a wrong token, a contributor's, and a server without an admin key", async () => {
    expect(await codeOf(await contractServer({ adminToken: "another" }))).toEqual([
      1,
      "peer-refused",
    ]);
    const live = { [digestOf(ADMIN)]: "mallory" };
    expect(await codeOf(await contractServer({ adminToken: "another", live }))).toEqual([
      1,
      "peer-refused",
    ]);
    expect(await codeOf(await contractServer({ live }))).toEqual([1, "peer-refused"]);
  });

  it("follows no redirect with the token", async () => {
    const elsewhere = await contractServer({ adminToken: ADMIN });
    const server = await contractServer({ adminToken: ADMIN });
    server.intercept = (_, response) => {
      response.writeHead(307, { location: `${elsewhere.url}/admin/keys` }).end();
      return true;
    };
    expect(await codeOf(server)).toEqual([1, "peer-refused"]);
    expect(elsewhere.seen).toEqual([]);
  });

  it.each([
    ["no JSON", "<html>"],
    ["no list", "{}"],
    ["a digest that is none", JSON.stringify({ keys: [{ hash: "../x", id: "a" }] })],
    ["an id that is none", JSON.stringify({ keys: [{ hash: ALICE, id: 1 }] })],
    ["a list of nothing", JSON.stringify({ keys: [null] })],
  ])("takes an answer with %s for no answer", async (_, body) => {
    const server = await contractServer({ adminToken: ADMIN });
    server.intercept = (request, response) => {
      response.end(body);
      return true;
    };
    expect(await codeOf(server)).toEqual([1, "peer-answer-invalid"]);
  });

  it("does not take a 200 for done that does not name the key", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    server.intercept = ({ method }, response) => {
      if (method !== "PUT") return false;
      response.end("{}");
      return true;
    };
    expect(await pushed(worldWith(text), server)).toMatchObject({ added: [], failed: [{}] });
  });

  it("reads no answer without an end", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    server.intercept = ({ method }, response) => {
      if (method !== "PUT") return false;
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
      return true;
    };
    expect(await pushed(worldWith(text), server)).toMatchObject({ failed: [{ status: null }] });
  });

  it("switches to no other protocol, and does not wait for it", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    server.intercept = (_, response) => {
      response.writeHead(101, { Connection: "Upgrade", Upgrade: "websocket" }).end();
      return true;
    };
    expect(await codeOf({ url: server.url })).toEqual([1, "peer-answer-invalid"]);
  });

  it("shows what it says without obeying it", async () => {
    const server = await contractServer({
      adminToken: ADMIN,
      live: { [EVE]: "e\u001b[2Jve\u202e" },
    });
    const { stdout, stderr } = await push(worldWith(text), server, "--dry-run");
    expect(`${stdout}${stderr}`).toContain("\\u{1b}");
    for (const character of ["\u001b", "\u202e"]) {
      expect(`${stdout}${stderr}`).not.toContain(character);
    }
  });

  it("can't ask where nothing listens, no name leads, or no HTTP is spoken", async () => {
    expect(await codeOf({ url: "http://127.0.0.1:9" })).toEqual([1, "peer-unreachable"]);
    const server = await contractServer({ adminToken: ADMIN });
    expect(await codeOf({ url: server.url.replace("http:", "https:") })).toEqual([
      1,
      "peer-unreachable",
    ]);
  });
});

describe("what keys push is given", () => {
  const world = (): World => worldWith(keystore(entry(ALICE, "alice")));

  it.each([
    "keys.example.com",
    "ftp://keys.example.com",
    "http:keys.example.com",
    "https://admin:secret@keys.example.com",
    "https://keys.example.com/?token=x",
    "https://keys.example.com/#x",
    "",
  ])("refuses %j for a server, without repeating it", async (url) => {
    const { status, stdout, stderr } = await world().keys(["push", url, "--json"], {
      stdin: ADMIN,
    });
    expect([status, (JSON.parse(stdout) as PushJson).error?.code]).toEqual([2, "value-invalid"]);
    expect(`${stdout}${stderr}`).not.toContain("secret");
  });

  it("needs a server", async () => {
    expect((await world().keys(["push"])).status).toBe(2);
  });

  it("takes the token from a file that only its owner can read", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    const given = world();
    const file = path.join(given.directory, "admin-token");
    const args = ["push", server.url, "--yes", "--json", "--admin-token-file", "admin-token"];
    const code = async (): Promise<string | undefined> =>
      (JSON.parse((await given.keys(args)).stdout) as PushJson).error?.code;
    expect(await code()).toBe("file-not-found");
    writeFileSync(file, `${ADMIN}\n`, { mode: 0o640 });
    chmodSync(file, 0o640);
    expect(await code()).toBe("token-file-exposed");
    chmodSync(file, 0o604);
    expect(await code()).toBe("token-file-exposed");
    expect(server.seen).toEqual([]);
    chmodSync(file, 0o600);
    expect(await code()).toBeUndefined();
    expect(server.live.get(ALICE)).toBe("alice");
    writeFileSync(file, `${ADMIN}\n\n`);
    expect(await code()).toBe("token-malformed");
    const both = await given.keys([...args, "--token-stdin"], { stdin: ADMIN });
    expect(both.status).toBe(2);
  });

  it("says that the token travels in the clear, except to this machine", async () => {
    const far = await world().keys(["push", "http://keys.invalid", "--dry-run"], { stdin: ADMIN });
    expect(far.stderr).toContain("in the clear");
    const server = await contractServer({ adminToken: ADMIN });
    expect((await push(world(), server)).stderr).not.toContain("in the clear");
  });

  it("refuses a keystore that is not valid before anything is asked", async () => {
    const server = await contractServer({ adminToken: ADMIN });
    for (const bad of ["api_keys:\n  x: y\n", "other: 1\n"]) {
      expect((await push(worldWith(bad), server)).status).toBe(3);
    }
    expect(server.seen).toEqual([]);
  });
});
