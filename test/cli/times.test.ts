import { describe, expect, it } from "vitest";
import { create, listAll } from "./support/key-record.js";
import { makeWorld, NOW } from "./support/memory-io.js";

const DAY = 86_400_000;

describe("a time that can't be read", () => {
  it.each(["0d", "30x", "2027-01-01", "tomorrow", "1d12h", "-1d", "", "Never"])(
    "%j gets the forms that are taken",
    async (text) => {
      const { status, stderr } = await makeWorld().keys(["create", "--id", "a", "--expires", text]);
      expect(status).toBe(2);
      expect(stderr).toContain("the value of --expires is no time\n");
      expect(stderr).toContain("(30s 12h 90d 2w 1y)");
      expect(stderr).toMatch(/or never$/m);
    },
  );

  it.each(["9000y", "99999999999999999999y", "1969-12-31T23:59:59Z", "10000-01-01T00:00:00Z"])(
    "%j is told to be out of range",
    async (text) => {
      const { status, stderr } = await makeWorld().keys(["create", "--id", "a", "--expires", text]);
      expect(status).toBe(2);
      expect(stderr).toContain("is outside the years 1970 to 9999");
    },
  );
});

describe("never", () => {
  it("is taken wherever a time is asked", async () => {
    const world = makeWorld();
    const { fingerprint } = await create(
      world,
      "--id",
      "a",
      "--expires",
      "never",
      "--not-before",
      "never",
    );
    await create(world, "--id", "b", "--expires", "900d");
    const { keys } = (await world.json(["list", "--expiring", "never"])) as { keys: object[] };
    expect(keys).toMatchObject([{ id: "b" }]);
    for (const args of [
      ["rotate", "--id", "a", "--grace", "never", "--expires", "never"],
      ["set", fingerprint, "--expires", "1d"],
      ["set", fingerprint, "--expires", "never", "--not-before", "never"],
    ]) {
      expect(await world.keys(args)).toMatchObject({ status: 0 });
    }
    const ends = (await listAll(world)).map(({ id, expires_at }) => [id, expires_at]);
    expect(ends).toEqual([
      ["a", null],
      ["b", "2029-05-10T12:00:00Z"],
      ["a", null],
    ]);
    const late = { nowMs: NOW + 800 * DAY };
    expect((await world.keys(["validate", "--max-age", "never"], late)).status).toBe(0);
    expect((await world.keys(["validate", "--max-age", "1y"], late)).status).toBe(3);
  });
});
