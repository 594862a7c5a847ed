import { describe, expect, it } from "vitest";
import { createRateLimiter } from "../../src/core/rate-limiter.js";
import { createLeases } from "../../src/server/lease.js";

const LIMIT = { requests: 1000, windowMs: 600_000 };

/** Workers over one limiter, by a clock of their own. */
function workersOf(count: number): {
  workers: ReturnType<typeof createLeases>[];
  asked: () => number;
} {
  const limiter = createRateLimiter();
  let asked = 0;
  const workers = Array.from({ length: count }, () =>
    createLeases({
      take: (lineage, limit) => Promise.resolve(limiter.take(lineage, limit, performance.now())),
      reserve: (lineage, limit, slots, leaseMs) => {
        asked += 1;
        return Promise.resolve(limiter.reserve(lineage, limit, slots, performance.now(), leaseMs));
      },
      giveBack: (lineage, chargedAtMs, unused) => {
        limiter.giveBack(lineage, { chargedAtMs }, unused);
      },
      monotonicMs: () => performance.now(),
    }),
  );
  return { workers, asked: () => asked };
}

describe("leases", () => {
  it("admit the limit and not one more, together, and ask seldom", async () => {
    const { workers, asked } = workersOf(4);
    let granted = 0;
    const decisions = workers.flatMap((worker) =>
      Array.from({ length: 400 }, async () => {
        if ((await worker("a", LIMIT)).allowed) granted += 1;
      }),
    );
    await Promise.all(decisions);
    expect(granted).toBe(1000);
    // A lease is as large as the line that waits for it, and each worker's last gets none.
    expect(asked()).toBeLessThan(100);
  });

  it("leave nobody without an answer where each lease runs out before it can be used", async () => {
    let now = 0;
    const limiter = createRateLimiter();
    const worker = createLeases({
      take: (lineage, limit) => Promise.resolve(limiter.take(lineage, limit, now)),
      reserve: (lineage, limit, slots, leaseMs) => {
        const lease = limiter.reserve(lineage, limit, slots, now, leaseMs);
        now += 1000;
        return Promise.resolve(lease);
      },
      giveBack: () => undefined,
      monotonicMs: () => now,
    });
    expect((await worker("a", LIMIT)).allowed).toBe(true);
  });

  it("give back what was not used", async () => {
    const { workers } = workersOf(2);
    const [one, two] = workers;
    expect((await one?.("a", LIMIT))?.allowed).toBe(true);
    await expect
      .poll(async () => (await two?.("a", LIMIT))?.remaining, { timeout: 5000, interval: 150 })
      .toBeGreaterThan(1000 - 10);
  });

  it("leave small limits to the primary, each request", async () => {
    const { workers, asked } = workersOf(2);
    const limit = { requests: 3, windowMs: 60_000 };
    const allowed = [];
    for (const worker of [...workers, ...workers, ...workers]) {
      allowed.push((await worker("b", limit)).allowed);
    }
    expect(allowed).toEqual([true, true, true, false, false, false]);
    expect(asked()).toBe(0);
  });
});
