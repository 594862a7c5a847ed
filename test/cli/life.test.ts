import { describe, expect, it } from "vitest";
import { create, listAll } from "./support/key-record.js";
import { makeWorld, NOW } from "./support/memory-io.js";

const troubled = `api_keys:
  "c1f29e0ba7d36c5f18e94b0d7a2365f8e0c49b1d6f7a83520be9d4c6a1873f2e":
    id: alice
  "short":
    id: bob
`;

describe("keys revoke", () => {
  it("moves the key to the retired ones, with its reason, and says what follows", async () => {
    const world = makeWorld();
    const { fingerprint, digest } = await create(world, "--id", "alice", "--label", "laptop");
    await create(world, "--id", "bob");
    const { status, stdout, stderr } = await world.keys([
      ...["revoke", fingerprint.toUpperCase(), "--reason", "laptop lost", "--yes"],
    ]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toContain("restart");
    expect((await listAll(world)).find((key) => key.digest === digest)).toMatchObject({
      ...{ state: "revoked", reason: "laptop lost", retired_at: "2026-11-22T12:00:00Z" },
      label: "laptop",
    });
  });

  it("is idempotent, and says so", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    const revoke = ["revoke", fingerprint, "--yes"];
    const key = { fingerprint, id: "alice", state: "revoked" };
    expect(await world.json(revoke)).toEqual({ changed: [key], unchanged: [] });
    const before = world.read();
    expect(await world.json(revoke)).toEqual({ changed: [], unchanged: [key] });
    const { status, stderr } = await world.keys(["revoke", fingerprint]);
    expect(status).toBe(0);
    expect(stderr).toContain("revoked already");
    expect(world.read()).toBe(before);
  });

  it("makes a disabled key revoked and leaves rotated and expired ones", async () => {
    const world = makeWorld();
    const one = await create(world, "--id", "a");
    const two = await create(world, "--id", "b");
    await create(world, "--id", "c", "--expires", "1s");
    await world.keys(["disable", one.fingerprint, "--yes"]);
    await world.keys(["rotate", two.fingerprint, "--yes"]);
    await world.keys(["sweep"], { nowMs: NOW + 1000 });
    const result = (await world.json(["revoke", "--all", "--yes"])) as {
      changed: { id: string }[];
      unchanged: { id: string; state: string }[];
    };
    expect(result.changed.map(({ id }) => id)).toEqual(["b", "a"]);
    expect(result.unchanged).toMatchObject([
      { id: "b", state: "rotated" },
      { id: "c", state: "expired" },
    ]);
  });

  it("takes all of a contributor's with --id, and only those", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    await create(world, "--id", "bob");
    await create(world, "--id", "alice");
    await world.keys(["revoke", "--id", "alice", "--yes"]);
    expect((await listAll(world)).map(({ id, state }) => `${id ?? ""} ${state}`)).toEqual([
      ...["bob live", "alice revoked", "alice revoked"],
    ]);
  });

  it("drops the entry with --purge, and gives back the bytes of before", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const before = world.read();
    const { fingerprint } = await create(world, "--id", "bob");
    const purged = await world.json(["revoke", fingerprint, "--purge", "--yes"]);
    expect(purged).toEqual({
      changed: [{ fingerprint, id: "bob", state: "purged" }],
      unchanged: [],
    });
    expect(world.read()).toBe(before);
    expect((await world.keys(["revoke", fingerprint, "--purge", "--yes"])).status).toBe(4);
    const both = ["revoke", "--all", "--purge", "--reason", "x", "--yes"];
    expect((await world.keys(both)).status).toBe(2);
  });

  it("works on a file with other errors, tells them and exits 3 with its result", async () => {
    const world = makeWorld();
    world.write("keys.yaml", troubled);
    const { status, stdout, stderr } = await world.keys([
      ...["revoke", "--id", "alice", "--yes", "--json"],
    ]);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ changed: [{ id: "alice", state: "revoked" }] });
    expect(stderr).toContain("digest-not-hex");
    expect(stderr).toContain("running servers will not load this file until it is mended");
    expect(world.read()).toContain("retired_api_keys:");
    expect((await world.keys(["disable", "--id", "alice", "--yes"])).status).toBe(3);
  });

  it("does not mind that nothing is left", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    const { status, stderr } = await world.keys(["revoke", fingerprint, "--yes"]);
    expect(status).toBe(0);
    expect(stderr).toContain("no live key is left");
    expect(world.read()).toContain("api_keys: {}");
  });

  it("takes the legacy api_key too", async () => {
    const world = makeWorld();
    world.write("keys.yaml", 'port: 1\napi_key: "my-secret-token-0123456789"\n');
    const { status } = await world.keys(["revoke", "--id", "owner", "--yes"]);
    expect(status).toBe(0);
    expect(world.read()).not.toContain("my-secret");
    expect(await listAll(world)).toMatchObject([{ id: "owner", state: "revoked" }]);
  });

  it.each([
    [["deadbeefdead"], 4],
    [["--id", "nobody"], 4],
    [["abc"], 2],
    [["alice"], 2],
    [["f".repeat(65)], 2],
    [[], 2],
    [["c1f29e", "--id", "alice"], 2],
  ])("exits for %j with %i", async (args, status) => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    expect((await world.keys(["revoke", ...args, "--yes"])).status).toBe(status);
  });

  it("lists the matches of an ambiguous name", async () => {
    const world = makeWorld();
    const shared = "c1f29e0ba7d3";
    const digests = ["1", "2"].map((end) => shared + end.repeat(52));
    for (const digest of digests) await create(world, "--id", "alice", "--digest", digest);
    const { status, stderr } = await world.keys(["revoke", shared, "--yes"]);
    expect(status).toBe(4);
    for (const digest of digests) expect(stderr).toContain(digest);
    expect((await world.keys(["revoke", `${shared}1`, "--yes"])).status).toBe(0);
  });

  it.each(["revoke", "disable", "rotate"])("%s needs --yes where nobody is asked", async (verb) => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    const before = world.read();
    const { status, stdout } = await world.keys([verb, fingerprint, "--json"]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "confirmation-required" } });
    expect(world.read()).toBe(before);
    expect((await world.keys([verb, fingerprint, "--dry-run"])).status).toBe(0);
    expect(world.read()).toBe(before);
  });
});

describe("keys disable and enable", () => {
  it("go out and back, the last key too", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice", "--scopes", "a");
    const before = await listAll(world);
    const state = { fingerprint, id: "alice", state: "disabled" };
    expect(await world.json(["disable", fingerprint, "--yes", "--reason", "holiday"])).toEqual({
      changed: [state],
      unchanged: [],
    });
    expect(await world.json(["disable", fingerprint, "--yes"])).toEqual({
      changed: [],
      unchanged: [state],
    });
    expect(await world.json(["enable", fingerprint])).toMatchObject({
      changed: [{ state: "live" }],
    });
    expect(await listAll(world)).toEqual(before);
    expect(await world.json(["enable", fingerprint])).toMatchObject({
      ...{ changed: [], unchanged: [{ state: "live" }] },
    });
  });

  it("bring back nothing but what was disabled", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    await create(world, "--id", "bob");
    await world.keys(["revoke", fingerprint, "--yes"]);
    const { status, stdout } = await world.keys(["enable", fingerprint, "--json"]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "key-state" } });
  });

  it("bring back nothing that would make the file invalid", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice", "--not-before", "1d");
    await create(world, "--id", "bob");
    await world.keys(["disable", fingerprint, "--yes"]);
    const before = world.read();
    const { status } = await world.keys(["enable", fingerprint], {
      env: { KEYS_PEERS: "id-only" },
    });
    expect(status).toBe(3);
    expect(world.read()).toBe(before);
  });
});

describe("keys set", () => {
  it("changes and removes fields, and leaves the others", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(
      world,
      ...[
        "--id",
        "alice",
        "--label",
        "x",
        "--scopes",
        "a",
        "--rate-limit",
        "1/1s",
        "--expires",
        "1d",
      ],
    );
    const result = await world.json([
      ...["set", fingerprint, "--id", "bob", "--scopes", "b  c", "--expires", "never"],
      ...["--unset", "rate-limit", "--unset", "label"],
    ]);
    expect(result).toEqual({
      changed: [{ fingerprint, id: "bob", state: "live" }],
      unchanged: [],
    });
    expect((await listAll(world))[0]).toMatchObject({
      ...{ id: "bob", label: null, scopes: ["b", "c"], rate_limit: null, expires_at: null },
      created_at: "2026-11-22T12:00:00Z",
    });
    const again = await world.json(["set", fingerprint, "--id", "bob"]);
    expect(again).toMatchObject({ changed: [], unchanged: [{ id: "bob" }] });
  });

  it("says of each field that changes what it was and what it is", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "user3", "--scopes", "a", "--label", "x");
    const { stderr } = await world.keys([
      ...["set", fingerprint, "--id", "user6", "--label", "", "--unset", "scopes"],
      ...["--expires", "1d", "--unset", "workspaces"],
    ]);
    expect(stderr).toContain(
      `changed ${fingerprint} (user3, x): id user3 → user6, label x → none, ` +
        "expires_at none → 2026-11-23T12:00:00Z, scopes a → none\n",
    );
  });

  it.each([
    [[], 2],
    [["--unset", "id"], 2],
    [["--label", "a", "--unset", "label"], 2],
    [["--expires", "2020-01-01T00:00:00Z"], 2],
    [["--scopes", ""], 2],
    [["--id", "system"], 2],
  ])("exits for %j with %i", async (args, status) => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    const before = world.read();
    expect((await world.keys(["set", fingerprint, ...args])).status).toBe(status);
    expect(world.read()).toBe(before);
  });
});

describe("keys sweep", () => {
  it("retires what has expired and nothing else, without asking", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice", "--expires", "1h");
    await create(world, "--id", "bob", "--expires", "2h");
    const nowMs = NOW + 3_600_000;
    expect(await world.json(["sweep"], { nowMs })).toEqual({
      changed: [{ fingerprint, id: "alice", state: "expired" }],
      unchanged: [],
    });
    expect((await world.json(["sweep"], { nowMs })) as object).toEqual({
      changed: [],
      unchanged: [],
    });
  });
});

describe("keys init", () => {
  it("makes a key for the owner, with a banner that does not hold the token", async () => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys(["init"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^key_\w+\n$/);
    const once = stderr.split("\n").filter((line) => /save this now|once/.test(line));
    expect(once).toHaveLength(1);
    expect(stderr).toContain("save this now");
    expect(stderr).not.toContain(stdout.trim());
    expect(await listAll(world)).toMatchObject([{ id: "owner" }]);
  });

  it("exits 1 where a live key stands, and does nothing there with --if-missing", async () => {
    const world = makeWorld();
    await world.keys(["init", "--id", "root"]);
    const before = world.read();
    const { status, stdout } = await world.keys(["init", "--json"]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "already-exists" } });
    expect(await world.keys(["init", "--if-missing"])).toMatchObject({ status: 0, stdout: "" });
    expect(await world.json(["init", "--if-missing"])).toEqual({
      changed: false,
      file: "keys.yaml",
    });
    expect(world.read()).toBe(before);
  });

  it("exits 3 on a file that has other errors, --if-missing or not", async () => {
    const world = makeWorld();
    world.write("keys.yaml", troubled);
    expect((await world.keys(["init", "--if-missing"])).status).toBe(3);
  });
});

describe("a file that is missing", () => {
  it.each([
    ["list"],
    ["show", "c1f29e"],
    ["set", "c1f29e", "--label", "x"],
    ["revoke", "c1f29e"],
    ["disable", "c1f29e"],
    ["enable", "c1f29e"],
    ["rotate", "c1f29e"],
    ["sweep"],
    ["validate"],
    ["migrate"],
    ["identify"],
    ["serve"],
  ])("is named by %s, exit 4", async (...args) => {
    const world = makeWorld();
    const { status, stdout, stderr } = await world.keys([...args, "--json"]);
    expect(status).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "file-not-found" } });
    expect(stderr).toContain("keys.yaml");
  });
});

describe("a file with errors", () => {
  it.each([
    ["set", "c1f29e", "--label", "x"],
    ["enable", "c1f29e"],
    ["rotate", "c1f29e"],
    ["sweep"],
    ["migrate"],
  ])("is refused by %s, exit 3, with what is wrong", async (...args) => {
    const world = makeWorld();
    world.write("keys.yaml", troubled);
    const { status, stdout, stderr } = await world.keys([...args, "--yes", "--json"]);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "keystore-invalid" } });
    expect(stderr).toContain("keys.yaml:4:3: error digest-not-hex");
    expect(world.read()).toBe(troubled);
  });

  it.each([["list"], ["show", "c1f29e"]])(
    "is read by %s, its problems on stderr",
    async (...args) => {
      const world = makeWorld();
      world.write("keys.yaml", troubled);
      const { status, stdout, stderr } = await world.keys(args);
      expect(status).toBe(0);
      expect(stdout).toContain("c1f29e0ba7d3");
      expect(stderr).toContain("digest-not-hex");
    },
  );
});
