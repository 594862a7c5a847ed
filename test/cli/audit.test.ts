import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/digest.js";
import { recordUsage } from "../../src/file/usage.js";
import { create, listAll } from "./support/key-record.js";
import { makeWorld, NOW, type World } from "./support/memory-io.js";

const DAY = 86_400_000;
const LOG = "keys.yaml.audit.jsonl";

interface Events {
  readonly events: readonly {
    readonly action: string;
    readonly actor: string;
    readonly outcome: string;
    readonly keys: readonly {
      readonly fingerprint: string;
      readonly id: string;
      readonly changes: Readonly<Record<string, readonly (string | null)[]>>;
    }[];
  }[];
}

async function events(world: World, ...args: readonly string[]): Promise<Events["events"]> {
  return ((await world.json(["audit", ...args])) as Events).events;
}

/** Digest of a contributor's key. */
async function digestFor(world: World, id: string): Promise<string> {
  return (await listAll(world)).find((key) => key.id === id)?.digest ?? "";
}

describe("keys audit", () => {
  it("loses nothing at a terminal, however narrow", async () => {
    const world = makeWorld();
    const label = "a label of many words that no narrow column has a place for";
    const scopes = "events:write apps:read apps:write";
    await create(world, "--id", "alice", "--label", label, "--scopes", scopes);
    const said = `label ${label}, scopes ${scopes}`;
    for (const columns of [40, 50, 60, 80, 100, 120, 200]) {
      const { stdout } = await world.keys(["audit"], { columns, env: { NO_COLOR: "1" } });
      const words = stdout.split(/\s+/);
      for (const word of [...said.split(" "), "os:operator", "alice", "create"]) {
        expect(words, `${columns} ${word}`).toContain(word);
      }
      if (columns < 60) continue;
      for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    }
    const [, row, ...more] = (await world.keys(["audit"])).stdout.trimEnd().split("\n");
    expect([row?.includes(label), more]).toEqual([true, []]);
  });

  it("tells of every command that changes a key", async () => {
    const world = makeWorld();
    await world.keys(["init"]);
    await create(world, "--id", "alice", "--label", "old");
    const alice = await digestFor(world, "alice");
    await world.keys(["set", alice, "--label", "new", "--expires", "1d"]);
    await world.keys(["disable", "--yes", alice, "--reason", "holiday"]);
    await world.keys(["enable", alice]);
    await world.keys(["rotate", "--yes", alice]);
    await world.keys(["sweep"], { nowMs: NOW + 2 * DAY });
    await world.keys(["revoke", "--yes", "--id", "owner"]);
    await world.keys(["revoke", "--yes", "--purge", alice]);
    const told = await events(world);
    expect(told.map(({ action }) => action)).toEqual(
      ["init", "create", "set", "disable", "enable", "rotate", "sweep", "revoke", "purge"], // prettier-ignore
    );
    expect(new Set(told.map(({ actor }) => actor))).toEqual(new Set(["os:operator"]));
    expect(new Set(told.map(({ outcome }) => outcome))).toEqual(new Set(["done"]));
    const fingerprint = alice.slice(0, 12);
    expect(told[2]?.keys).toEqual([
      {
        fingerprint,
        id: "alice",
        changes: { label: ["old", "new"], expires_at: [null, "2026-11-23T12:00:00Z"] },
      },
    ]);
    expect(told[3]?.keys[0]?.changes).toMatchObject({
      state: ["live", "disabled"],
      reason: [null, "holiday"],
    });
    expect(told[5]?.keys.map(({ changes }) => changes["state"])).toEqual([
      ["live", "rotated"],
      [null, "live"],
    ]);
    expect(told[8]?.keys[0]?.changes["state"]).toEqual(["rotated", null]);
    const { stdout } = await world.keys(["audit"]);
    expect(stdout.split("\n")[0]).toMatch(/^WHEN +ACTOR +ACTION +KEY +ID +WHAT/);
    expect(stdout).toMatch(/Z +os:operator +disable +[0-9a-f]{12} +alice +state live → disabled/);
    expect((await world.keys(["audit", "verify"])).status).toBe(0);
  });

  it("notes who called sudo, and what was taken back", async () => {
    const world = makeWorld();
    const lost = { env: { SUDO_USER: "eve" }, onStdout: () => { throw new Error("gone"); } }; // prettier-ignore
    expect((await world.keys(["create", "--id", "a"], lost)).status).toBe(1);
    expect(await events(world)).toMatchObject([
      { action: "create", sudo_user: "eve" },
      { action: "take-back", keys: [{ changes: { state: ["live", "revoked"] } }] },
    ]);
    expect((await world.keys(["audit"])).stdout).toContain("os:operator (sudo: eve)");
  });

  it("tells only of what is asked for", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    await world.keys(["create", "--id", "bob"], { nowMs: NOW + 10 * DAY });
    const alice = await digestFor(world, "alice");
    const later = { nowMs: NOW + 11 * DAY };
    const ids = async (...args: readonly string[]): Promise<unknown> => {
      const { events: told } = (await world.json(["audit", ...args], later)) as Events;
      return told.flatMap(({ keys }) => keys.map(({ id }) => id));
    };
    expect(await ids()).toEqual(["alice", "bob"]);
    expect(await ids("--id", "bob")).toEqual(["bob"]);
    expect(await ids(alice.slice(0, 7))).toEqual(["alice"]);
    expect(await ids(alice)).toEqual(["alice"]);
    expect(await ids("--since", "5d")).toEqual(["bob"]);
    expect(await ids("--since", "never")).toEqual(["alice", "bob"]);
    expect(await ids("--actor", "operator")).toEqual(["alice", "bob"]);
    expect(await ids("--actor", "os:operator")).toEqual(["alice", "bob"]);
    expect(await ids("--actor", "admin")).toEqual([]);
    // A key that was given to another was the first one's.
    await world.keys(["set", alice, "--id", "carol"]);
    expect(await ids("--id", "alice")).toEqual(["alice", "carol"]);
  });

  it("works on what KEYS_AUDIT_FILE or --audit-file names, for every command", async () => {
    const world = makeWorld();
    const env = { KEYS_AUDIT_FILE: "elsewhere.jsonl" };
    await world.keys(["create", "--id", "alice"], { env });
    expect(statSync(join(world.directory, "elsewhere.jsonl")).mode & 0o777).toBe(0o600);
    expect(() => world.read(LOG)).toThrow();
    expect((await world.keys(["audit"])).status).toBe(4);
    expect((await world.keys(["audit", "verify"], { env })).status).toBe(0);
    expect(await events(world, "--audit-file", "elsewhere.jsonl")).toHaveLength(1);
    const alice = await digestFor(world, "alice");
    expect(await world.json(["show", alice], { env })).toMatchObject({
      history: [{ action: "create" }],
    });
    expect(await world.json(["show", alice])).toMatchObject({ history: [] });
  });

  it("does not give access where it can't be recorded, and takes it away with a warning", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const before = world.read();
    const env = { KEYS_AUDIT_FILE: "no/log.jsonl" };
    for (const args of [
      ["create", "--id", "eve"],
      ["rotate", "--yes", "--id", "alice"],
    ]) {
      const { status, stdout } = await world.keys([...args, "--json"], { env });
      expect(status).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "audit-unwritable" } });
    }
    expect(world.read()).toBe(before);
    const args = ["revoke", "--yes", "--quiet", "--id", "alice"];
    const { status, stderr } = await world.keys(args, { env });
    expect(status).toBe(0);
    expect(stderr).toContain("NOT RECORDED");
    expect(stderr).toContain("KEYS_AUDIT_FILE");
    expect(await listAll(world)).toMatchObject([{ state: "revoked" }]);
  });
});

describe("keys audit verify", () => {
  it("prints the head, and knows it again", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    const { status, stdout } = await world.keys(["audit", "verify"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    const head = stdout.trim();
    await create(world, "--id", "bob");
    expect((await world.keys(["audit", "verify", "--head", head])).status).toBe(0);
    expect(await world.json(["audit", "verify", "--head", head.toUpperCase()])).toMatchObject({
      valid: true,
      lines: 4,
      torn: 0,
      open: false,
      broken_at: null,
    });
  });

  it("exits 5 and names the line where the chain breaks", async () => {
    const world = makeWorld();
    for (const id of ["alice", "bob"]) await create(world, "--id", id);
    const { stdout } = await world.keys(["audit", "verify"]);
    const lines = world.read(LOG).split("\n");
    world.write(LOG, world.read(LOG).replace("alice", "eve"));
    const changed = await world.keys(["audit", "verify", "--json"]);
    expect(changed.status).toBe(5);
    expect(JSON.parse(changed.stdout)).toMatchObject({
      valid: false,
      broken_at: 2,
      reason: { code: "audit-broken" },
    });
    expect(changed.stderr).toContain("line 1 itself may be");
    const told = await world.keys(["audit"]);
    expect(told).toMatchObject({ status: 0 });
    expect(told.stdout).toContain("eve");
    expect(told.stderr).toContain("breaks at line 2");
    expect((await world.keys(["audit", "--json"])).stderr).toContain("breaks at line 2");
    world.write(LOG, lines.join("\n").replace("bob", "eve"));
    expect((await world.keys(["audit", "verify"])).stderr).toMatch(
      /breaks at line 4: .*line 3 itself may be .*lines before it still follow/s,
    );
    world.write(LOG, `${lines.slice(0, 2).join("\n")}\n`);
    expect((await world.keys(["audit"])).stderr).toBe("");
    expect((await world.keys(["audit", "verify"])).status).toBe(0);
    const cut = await world.keys(["audit", "verify", "--head", stdout.trim()]);
    expect(cut).toMatchObject({ status: 5, stdout: "" });
    rmSync(join(world.directory, LOG));
    expect((await world.keys(["audit", "verify"])).status).toBe(4);
  });

  it("warns of what a crash left", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    world.write(LOG, world.read(LOG).slice(0, -20));
    const { status, stderr } = await world.keys(["audit", "verify"]);
    expect(status).toBe(0);
    expect(stderr).toContain("torn");
    expect(stderr).toContain("open");
    expect((await world.keys(["audit"])).stdout).toContain("create (open)");
  });

  it.each([
    ["audit", "--head", "0".repeat(64)],
    ["audit", "verify", "--head", "abc"],
    ["audit", "verify", "--id", "alice"],
    ["audit", "xyz"],
    ["audit", "abc123", "--id", "alice"],
    ["audit", "--since", "soon"],
  ])("is a mistake as keys %s %s %s", async (...args) => {
    const world = makeWorld();
    await create(world, "--id", "alice");
    expect((await world.keys(args)).status).toBe(2);
  });
});

describe("the last use of keys", () => {
  /** `new` was made now, the others long ago; `often` was used yesterday, `once` long ago. */
  async function usedWorld(): Promise<World> {
    const world = makeWorld();
    const old = { nowMs: NOW - 200 * DAY };
    for (const id of ["never", "once", "often"]) await world.keys(["create", "--id", id], old);
    await create(world, "--id", "new");
    const uses = new Map([
      [await digestFor(world, "once"), NOW - 100 * DAY],
      [await digestFor(world, "often"), NOW - DAY],
      [digestOf("a stranger"), NOW],
    ]);
    await recordUsage(join(world.directory, "keys.yaml.usage.json"), uses);
    return world;
  }

  async function ids(world: World, ...args: readonly string[]): Promise<readonly string[]> {
    const { keys } = (await world.json(["list", ...args])) as { keys: { id: string }[] };
    return keys.map(({ id }) => id);
  }

  it("is in list and show", async () => {
    const world = await usedWorld();
    const uses = (await listAll(world)).map(({ last_used_at }) => last_used_at);
    expect(uses).toEqual([null, "2026-08-14T12:00:00Z", "2026-11-21T12:00:00Z", null]);
    const { stdout } = await world.keys(["list"]);
    expect(stdout).toContain("2026-11-21T12:00:00Z (24 hours ago)");
    const terminal = await world.keys(["list"], { columns: 110 });
    expect(terminal.stdout).toContain("24 hours ago");
    expect((await world.keys(["show", "--id", "often"])).stdout).toMatch(/last used +2026-11-21/);
    expect(await world.json(["show", "--id", "once"])).toMatchObject({
      last_used_at: "2026-08-14T12:00:00Z",
    });
    const { stdout: csv } = await world.keys(["list", "--format", "csv", "--id", "once"]);
    expect(csv).toContain("2026-08-14T12:00:00Z");
  });

  it("sorts keys, and finds those that nobody uses", async () => {
    const world = await usedWorld();
    expect((await ids(world, "--sort", "used")).slice(0, 2)).toEqual(["once", "often"]);
    expect((await ids(world, "--sort", "-used")).slice(0, 2)).toEqual(["often", "once"]);
    expect(await ids(world, "--unused", "90d")).toEqual(["never", "once"]);
    expect(await ids(world, "--unused", "150d")).toEqual(["never"]);
    expect(await ids(world, "--unused", "2026-11-22T12:00:00Z")).toEqual([
      "never",
      "once",
      "often",
    ]);
    expect((await world.keys(["list", "--unused", "never"])).status).toBe(2);
  });

  it("stays in the narrowest table where it was asked for", async () => {
    const world = await usedWorld();
    for (const columns of [120, 80, 50]) {
      for (const asked of [
        ["--sort", "-used"],
        ["--sort", "used"],
        ["--unused", "90d"],
      ]) {
        const { stdout } = await world.keys(["list", ...asked], { columns });
        expect(stdout, `${columns} ${asked.join(" ")}`).toContain("LAST USED");
      }
    }
  });

  it("is read from what KEYS_USAGE_FILE or --usage-file names", async () => {
    const world = await usedWorld();
    writeFileSync(
      join(world.directory, "other.json"),
      readFileSync(join(world.directory, "keys.yaml.usage.json")),
    );
    rmSync(join(world.directory, "keys.yaml.usage.json"));
    expect(await ids(world, "--unused", "90d")).toEqual(["never", "once", "often"]);
    expect(await ids(world, "--unused", "90d", "--usage-file", "other.json")).toEqual([
      "never",
      "once",
    ]);
    const shown = await world.json(["show", "--id", "often"], {
      env: { KEYS_USAGE_FILE: "other.json" },
    });
    expect(shown).toMatchObject({ last_used_at: "2026-11-21T12:00:00Z" });
  });

  it("that can't be read keeps no command from working", async () => {
    const world = await usedWorld();
    world.write("keys.yaml.usage.json", "{");
    const { status, stderr } = await world.keys(["list"]);
    expect(status).toBe(0);
    expect(stderr).toContain("last use is not known");
  });
});
