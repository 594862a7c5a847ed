import { describe, expect, it } from "vitest";
import { create, listAll } from "./support/key-record.js";
import { makeWorld, NOW } from "./support/memory-io.js";

const DAY = 86_400_000;

describe("keys rotate", () => {
  it("makes a token with the same rights and counts the old lifetime anew", async () => {
    const world = makeWorld();
    const old = await create(
      world,
      ...["--id", "alice", "--label", "laptop", "--scopes", "a b", "--workspaces", "w"],
      ...["--rate-limit", "5/1s", "--expires", "30d", "--not-before", "1h"],
    );
    const nowMs = NOW + 10 * DAY;
    const made = await world.json(["rotate", old.fingerprint, "--yes"], { nowMs });
    expect(made).toMatchObject({
      ...{ id: "alice", label: "laptop", scopes: ["a", "b"], workspaces: ["w"] },
      ...{ rate_limit: "5/1s", created_at: "2026-12-02T12:00:00Z" },
      expires_at: "2027-01-01T12:00:00Z",
    });
    const { fingerprint } = made as { fingerprint: string };
    const all = await listAll(world, nowMs);
    expect(all.find((key) => key.fingerprint === fingerprint)?.not_before).toBeNull();
    expect(all.find((key) => key.fingerprint === old.fingerprint)?.state).toBe("rotated");
    expect(world.read()).toContain(`rotated_to: "${fingerprint}"`);
    expect(world.read()).toContain(`rotated_from: "${old.fingerprint}"`);
  });

  it("lets the old token work for the grace time, or to its own earlier end", async () => {
    const world = makeWorld();
    const long = await create(world, "--id", "a", "--expires", "30d");
    const short = await create(world, "--id", "b", "--expires", "1h");
    for (const { fingerprint } of [long, short]) {
      expect((await world.keys(["rotate", fingerprint, "--grace", "24h"])).status).toBe(0);
    }
    const all = await listAll(world);
    const end = (digest: string): unknown => all.find((key) => key.digest === digest)?.expires_at;
    expect(end(long.digest)).toBe("2026-11-23T12:00:00Z");
    expect(end(short.digest)).toBe("2026-11-22T13:00:00Z");
    expect(all.every(({ state }) => state === "live")).toBe(true);
  });

  it("leaves the old key its own end with --grace never", async () => {
    const world = makeWorld();
    const { digest } = await create(world, "--id", "a");
    expect((await world.keys(["rotate", "--id", "a", "--grace", "never"])).status).toBe(0);
    const all = await listAll(world);
    expect(all.find((key) => key.digest === digest)).toMatchObject({
      ...{ state: "live", expires_at: null },
    });
  });

  it("keeps the end as it is where the beginning is not known, and takes --expires first", async () => {
    const world = makeWorld();
    const digest = "c1f29e0ba7d36c5f18e94b0d7a2365f8e0c49b1d6f7a83520be9d4c6a1873f2e";
    const text = `api_keys:\n  "${digest}":\n    id: a\n    expires_at: "2027-01-01T00:00:00+02:00"\n`;
    world.write("keys.yaml", text);
    expect(await world.json(["rotate", "c1f29e", "--yes"])).toMatchObject({
      expires_at: "2026-12-31T22:00:00Z",
    });
    world.write("keys.yaml", text);
    expect(await world.json(["rotate", "c1f29e", "--yes", "--expires", "never"])).toMatchObject({
      expires_at: null,
    });
  });

  it("does not guess which of several keys, and rotates none that is retired", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice");
    const other = await create(world, "--id", "alice");
    const { status, stderr } = await world.keys(["rotate", "--id", "alice", "--yes"]);
    expect(status).toBe(4);
    expect(stderr).toContain(fingerprint);
    expect(stderr).toContain(other.fingerprint);
    await world.keys(["revoke", fingerprint, "--yes"]);
    expect((await world.keys(["rotate", fingerprint, "--yes"])).status).toBe(1);
    expect((await world.keys(["rotate", "--id", "alice", "--yes"])).status).toBe(0);
  });

  it("rotates the legacy key away", async () => {
    const world = makeWorld();
    world.write("keys.yaml", 'api_key: "my-secret-token-0123456789"\n');
    expect((await world.keys(["rotate", "--id", "owner", "--grace", "1h"])).status).toBe(1);
    expect(await world.json(["rotate", "--id", "owner", "--yes"])).toMatchObject({ id: "owner" });
    expect(world.read()).not.toContain("my-secret");
    expect((await world.keys(["validate"])).status).toBe(0);
  });

  it("does not count expired keys among several, and renews the only one", async () => {
    const world = makeWorld();
    await create(world, "--id", "alice", "--expires", "1h");
    const nowMs = NOW + DAY;
    await world.keys(["create", "--id", "alice"], { nowMs });
    expect((await world.keys(["rotate", "--id", "alice", "--yes"], { nowMs })).status).toBe(0);
    const states = (await listAll(world, nowMs)).map(({ state }) => state);
    expect(states).toEqual(["expired", "live", "rotated"]);

    const other = makeWorld();
    await create(other, "--id", "alice", "--expires", "1h");
    expect((await other.keys(["rotate", "--id", "alice", "--yes"], { nowMs })).status).toBe(0);
  });

  it("says of an expired key with --grace that it does not work", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(world, "--id", "alice", "--expires", "1h");
    const nowMs = NOW + DAY;
    const rotated = await world.keys(["rotate", fingerprint, "--grace", "24h"], { nowMs });
    expect(rotated.status).toBe(0);
    expect(rotated.stderr).toContain(`the old key ${fingerprint} (alice) has expired`);
    expect(rotated.stderr).not.toContain("works until");
  });
});
