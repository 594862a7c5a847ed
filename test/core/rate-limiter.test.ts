import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RateLimit } from "../../src/core/rate-limit.js";
import { createRateLimiter, EXACT_REQUESTS } from "../../src/core/rate-limiter.js";

const limit = (requests: number, windowMs: number): RateLimit => ({ requests, windowMs });

/** Most instants that lie in any span shorter than the window. */
function mostInWindow(instants: readonly number[], windowMs: number): number {
  const sorted = [...instants].sort((a, b) => a - b);
  let [most, first] = [0, 0];
  for (const [index, instant] of sorted.entries()) {
    while ((sorted[first] ?? 0) + windowMs <= instant) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

describe("a rate limit", () => {
  it("admits its requests and then none until the oldest has left the window", () => {
    const limiter = createRateLimiter();
    const three = limit(3, 1000);
    const at = (ms: number) => limiter.take("a", three, ms);
    expect([at(0), at(100), at(200)].map(({ remaining }) => remaining)).toEqual([2, 1, 0]);
    expect(at(200)).toEqual({
      allowed: false,
      limit: three,
      remaining: 0,
      resetMs: 800,
      retryAfterMs: 800,
    });
    expect(at(999).retryAfterMs).toBe(1);
    expect(at(1000)).toEqual({
      allowed: true,
      limit: three,
      remaining: 0,
      resetMs: 100,
      retryAfterMs: 0,
    });
    expect(at(1099).allowed).toBe(false);
    expect(at(1100).allowed).toBe(true);
  });

  it("does not charge what it denies", () => {
    const limiter = createRateLimiter();
    limiter.take("a", limit(1, 1000), 0);
    for (let ms = 0; ms < 1000; ms += 10) {
      expect(limiter.take("a", limit(1, 1000), ms).allowed).toBe(false);
    }
    expect(limiter.take("a", limit(1, 1000), 1000).allowed).toBe(true);
  });

  it("is one for each lineage", () => {
    const limiter = createRateLimiter();
    expect(limiter.take("a", limit(1, 1000), 0).allowed).toBe(true);
    expect(limiter.take("b", limit(1, 1000), 0).allowed).toBe(true);
    expect(limiter.take("a", limit(1, 1000), 0).allowed).toBe(false);
  });

  it("keeps what was charged when it changes", () => {
    const limiter = createRateLimiter();
    for (let ms = 0; ms < 10; ms += 1) limiter.take("a", limit(10, 1000), ms);
    const lowered = limiter.take("a", limit(4, 1000), 10);
    expect(lowered).toMatchObject({ allowed: false, resetMs: 990, retryAfterMs: 996 });
    expect(limiter.take("a", limit(4, 1000), 1005).allowed).toBe(false);
    expect(limiter.take("a", limit(4, 1000), 1006).allowed).toBe(true);
    const raised = limiter.take("b", limit(1, 1000), 0);
    expect(raised.allowed).toBe(true);
    expect(limiter.take("b", limit(2, 60_000), 500)).toMatchObject({ allowed: true, remaining: 0 });
    expect(limiter.take("b", limit(2, 60_000), 59_999).allowed).toBe(false);
  });

  it("does not open when the clock goes back", () => {
    const limiter = createRateLimiter();
    expect(limiter.take("a", limit(1, 1000), 10_000).allowed).toBe(true);
    expect(limiter.take("a", limit(1, 1000), 0)).toMatchObject({
      allowed: false,
      retryAfterMs: 1000,
    });
    expect(limiter.take("a", limit(1, 1000), 10_999).allowed).toBe(false);
    expect(limiter.take("a", limit(1, 1000), 11_000).allowed).toBe(true);
  });

  it("forgets lineages that are idle", () => {
    const limiter = createRateLimiter();
    for (let n = 0; n < 1000; n += 1) limiter.take(`k${n}`, limit(5, 1000), n);
    for (let n = 0; n < 100_000; n += 1) limiter.take("busy", limit(5, 1000), 5000 + n);
    expect(limiter.size).toBe(1);
  });

  it("is as good as exact above 10,000 requests a window, never admits more, frees in time", () => {
    const limiter = createRateLimiter();
    const many = limit(EXACT_REQUESTS + 1, 60_000);
    const admitted: number[] = [];
    // 12,000 in the first minute, evenly.
    for (let ms = 0; ms < 60_000; ms += 5) {
      if (limiter.take("a", many, ms).allowed) admitted.push(ms);
    }
    expect(admitted).toHaveLength(many.requests);
    const denied = limiter.take("a", many, 59_999);
    expect(denied.allowed).toBe(false);
    // The oldest bucket ends with its last request at the latest: at 0.
    expect(denied.retryAfterMs).toBeLessThanOrEqual(1 + 60);
    for (let ms = 60_000; ms < 180_000; ms += 5) {
      if (limiter.take("a", many, ms).allowed) admitted.push(ms);
    }
    expect(mostInWindow(admitted, many.windowMs)).toBeLessThanOrEqual(many.requests);
    // Two minutes more at full load: at the least all but a thousandth of the allowance.
    expect(admitted.length).toBeGreaterThan(3 * many.requests * 0.995);
  });
});

describe("a lease", () => {
  it("takes its slots at once and charges them at its end", () => {
    const limiter = createRateLimiter();
    const ten = limit(10, 1000);
    expect(limiter.reserve("a", ten, 4, 0, 500)).toMatchObject({
      slots: 4,
      chargedAtMs: 500,
      decision: { allowed: true, remaining: 6 },
    });
    expect(limiter.reserve("a", ten, 20, 0, 500).slots).toBe(6);
    expect(limiter.reserve("a", ten, 1, 0, 500)).toMatchObject({
      slots: 0,
      decision: { allowed: false, retryAfterMs: 1500 },
    });
    expect(limiter.take("a", ten, 1499).allowed).toBe(false);
    expect(limiter.take("a", ten, 1500).allowed).toBe(true);
  });

  it("gives back what it did not use, once and no more than it had", () => {
    const limiter = createRateLimiter();
    const ten = limit(10, 1000);
    limiter.take("a", ten, 0);
    const lease = limiter.reserve("a", ten, 9, 0, 500);
    limiter.giveBack("a", lease, 5);
    expect(limiter.take("a", ten, 1)).toMatchObject({ allowed: true, remaining: 4 });
    limiter.giveBack("a", lease, 1000);
    expect(limiter.take("a", ten, 2)).toMatchObject({ allowed: true, remaining: 7 });
    limiter.giveBack("unknown", lease, 1);
    limiter.giveBack("a", { chargedAtMs: 499 }, 1);
    expect(limiter.take("a", ten, 3)).toMatchObject({ allowed: true, remaining: 6 });
  });
});

describe("against a naive model", () => {
  const limits = fc.record({
    requests: fc.integer({ min: 1, max: 20 }),
    windowMs: fc.integer({ min: 1, max: 50 }),
  });
  const steps = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 300 });

  it("decides alike, with the same times", () => {
    fc.assert(
      fc.property(limits, steps, (one, waits) => {
        const limiter = createRateLimiter();
        let [now, kept] = [1000, [] as number[]];
        for (const wait of waits) {
          now += wait % 4 === 0 ? 0 : wait;
          kept = kept.filter((instant) => instant + one.windowMs > now);
          const allowed = kept.length < one.requests;
          if (allowed) kept.push(now);
          const resetMs = (kept[0] ?? 0) + one.windowMs - now;
          expect(limiter.take("a", one, now)).toEqual({
            allowed,
            limit: one,
            remaining: one.requests - kept.length,
            resetMs,
            retryAfterMs: allowed ? 0 : resetMs,
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  it("says the same after leases, some of them given back whole", () => {
    const moves = fc.array(
      fc.record({
        wait: fc.integer({ min: 0, max: 12 }),
        lease: fc.option(fc.integer({ min: 1, max: 6 })),
        back: fc.integer({ min: 0, max: 6 }),
        late: fc.boolean(),
      }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(limits, moves, (one, all) => {
        const limiter = createRateLimiter();
        let [now, kept] = [1000, [] as number[]];
        let giveBack = (): void => undefined;
        for (const { wait, lease, back, late } of all) {
          now += wait % 4 === 0 ? 0 : wait;
          kept = kept.filter((instant) => instant + one.windowMs > now).sort((a, b) => a - b);
          if (late) giveBack();
          if (lease === null) {
            const allowed = kept.length < one.requests;
            if (allowed) kept = [...kept, now].sort((a, b) => a - b);
            const resetMs = (kept[0] ?? 0) + one.windowMs - now;
            const remaining = one.requests - kept.length;
            expect(limiter.take("a", one, now)).toMatchObject({ allowed, remaining, resetMs });
            continue;
          }
          const given = limiter.reserve("a", one, lease, now, 10);
          const { slots, chargedAtMs } = given;
          expect(slots).toBe(Math.min(lease, one.requests - kept.length));
          kept = [...kept, ...Array.from({ length: slots }, () => chargedAtMs)];
          giveBack = () => {
            limiter.giveBack("a", given, back);
            const left = kept.filter((instant) => instant === chargedAtMs).length - back;
            const others = kept.filter((instant) => instant !== chargedAtMs);
            kept = [...others, ...Array.from({ length: Math.max(left, 0) }, () => chargedAtMs)];
            kept.sort((a, b) => a - b);
            giveBack = () => undefined;
          };
          if (!late) giveBack();
        }
      }),
      { numRuns: 500 },
    );
  });

  it("of two limits on one lineage holds both, whichever is asked", () => {
    fc.assert(
      fc.property(limits, limits, steps, fc.infiniteStream(fc.boolean()), (a, b, waits, which) => {
        const limiter = createRateLimiter();
        const charged: number[] = [];
        let now = 0;
        // In seconds, so that what is too old to decide anything is forgotten in between.
        for (const wait of waits) {
          now += 1000 * wait;
          for (const { requests, windowMs } of which.next().value === true ? [a, b] : [b, a]) {
            const one = limit(requests, 1000 * windowMs);
            const counted = charged.filter((instant) => instant + one.windowMs > now).length;
            const { allowed } = limiter.take("a", one, now);
            expect(allowed).toBe(counted < requests);
            if (allowed) charged.push(now);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("takes and leases together never pass the limit, whatever of a lease is used or given back", () => {
    const moves = fc.array(
      fc.record({
        wait: fc.integer({ min: 0, max: 15 }),
        back: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 30 })),
        lease: fc.option(fc.integer({ min: 1, max: 10 })),
        useAfter: fc.integer({ min: 0, max: 10 }),
        used: fc.integer({ min: 0, max: 10 }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(limits, moves, (one, all) => {
        const limiter = createRateLimiter();
        const admitted: number[] = [];
        let [trueMs, clock] = [100, 100];
        for (const { wait, back, lease, useAfter, used } of all) {
          trueMs += wait;
          clock += wait - back;
          if (lease === null) {
            if (limiter.take("a", one, clock).allowed) admitted.push(trueMs);
            continue;
          }
          const leased = limiter.reserve("a", one, lease, clock, 10);
          const uses = Math.min(used, leased.slots);
          for (let n = 0; n < uses; n += 1) admitted.push(trueMs + useAfter);
          limiter.giveBack("a", leased, leased.slots - uses);
        }
        expect(mostInWindow(admitted, one.windowMs)).toBeLessThanOrEqual(one.requests);
      }),
      { numRuns: 1000 },
    );
  });
});
