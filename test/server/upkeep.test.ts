import { describe, expect, it } from "vitest";
import { KeysError } from "../../src/errors.js";
import type { LastUse } from "../../src/file/usage.js";
import type { ServerEvent } from "../../src/server/server-event.js";
import { createSweeper, sweepChanges } from "../../src/server/sweeper.js";
import { createUsageCollector } from "../../src/server/usage-collector.js";
import { eventually } from "./eventually.js";
import { entryOf, keystoreOf } from "./requests.js";

describe("the collector of last uses", () => {
  it("writes the last instant of each key, at intervals and at the end", async () => {
    const written: LastUse[] = [];
    const collector = createUsageCollector({
      write: (uses) => {
        written.push(uses);
        return Promise.resolve();
      },
      onDropped: () => undefined,
      report: () => undefined,
      intervalMs: 20,
    });
    collector.used("a", 1);
    collector.used("a", 2);
    collector.used("b", 3);
    expect(written).toEqual([]);
    await eventually(() => written.length).toBe(1);
    expect([...(written[0] ?? [])]).toEqual([
      ["a", 2],
      ["b", 3],
    ]);
    collector.used("c", 4);
    await collector.close();
    expect(written.map((uses) => uses.size)).toEqual([2, 1]);
  });

  it("counts what it can't write, and tells of the first and every tenth failure", async () => {
    const events: ServerEvent[] = [];
    let dropped = 0;
    const collector = createUsageCollector({
      write: () => Promise.reject(new KeysError("file-unwritable", "no")),
      onDropped: (count) => {
        dropped += count;
      },
      report: (event) => {
        events.push(event);
      },
      intervalMs: 1,
    });
    for (let n = 1; n <= 12; n += 1) {
      collector.used("a", n);
      await eventually(() => dropped).toBe(n);
    }
    expect(events.map(({ details }) => details?.["failures"])).toEqual([1, 11]);
    await collector.close();
  });
});

describe("the sweeper", () => {
  const now = Date.now();
  const ends = (ms: number): string => new Date(ms).toISOString();

  it("sweeps when a key expires, and again after a failure", async () => {
    let keystore = keystoreOf(
      entryOf("a", { id: "a", expires_at: ends(now + 200) }),
      entryOf("b", { id: "b" }),
    );
    const events: string[] = [];
    let sweeps = 0;
    const sweeper = createSweeper({
      keystore: () => keystore,
      now: () => Date.now(),
      retryMs: 20,
      report: ({ event }) => {
        events.push(event);
      },
      sweep: () => {
        sweeps += 1;
        if (sweeps < 3) return Promise.reject(new KeysError("file-unwritable", "no"));
        keystore = keystoreOf(entryOf("b", { id: "b" }));
        return Promise.resolve();
      },
    });
    sweeper.look();
    expect(sweeps).toBe(0);
    await eventually(() => sweeps).toBe(3);
    expect(events).toEqual(["sweep-failed", "sweep-failed"]);
    sweeper.close();
  });

  it("retires what has expired and nothing else", () => {
    const expired = entryOf("a", { id: "a", expires_at: ends(now - 1000) });
    const keystore = keystoreOf(
      expired,
      entryOf("b", { id: "b", expires_at: ends(now + 60_000) }),
      entryOf("c", { id: "c" }),
    );
    expect(sweepChanges(keystore, now)).toEqual([
      {
        kind: "retire",
        digest: expired.digest,
        state: "expired",
        retiredAt: Math.floor(now / 1000) * 1000,
      },
    ]);
  });
});
