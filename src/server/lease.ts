import type { LimitDecision } from "../core/limit-decision.js";
import type { RateLimit } from "../core/rate-limit.js";
import type { Lease } from "../core/rate-limiter.js";

/** From how many requests on a limit is leased in pieces; below it the primary is asked each time. */
const LEASED_FROM = 1000;
/** How long a lease may be used, in milliseconds. */
const LEASE_MS = 100;
/** The part of a limit that one lease takes, and at most. */
const LEASED_PART = 100;
const MOST_SLOTS = 1000;
/** How many leases in a row may have run out before a request came to its turn. */
const MOST_ATTEMPTS = 20;

/** What leases use of the primary. */
export interface LeaseSource {
  take(lineage: string, limit: RateLimit): Promise<LimitDecision>;
  reserve(lineage: string, limit: RateLimit, count: number, leaseMs: number): Promise<Lease>;
  giveBack(lineage: string, chargedAtMs: number, unused: number): void;
  /** Milliseconds of a clock that never goes back. */
  monotonicMs(): number;
}

interface Held {
  readonly lease: Lease;
  slots: number;
  readonly untilMs: number;
  timer?: NodeJS.Timeout;
}

/**
 * Charges limits from a worker. A small limit is asked for at the primary, request by request, and
 * is as exact as in one process. A big one is leased: some slots at a time, charged at the lease's
 * end, used for 100 ms at most and given back after that. So never more than the limit is admitted
 * by all workers together, and now and then a few less, while other workers hold slots they don't
 * use.
 */
export function createLeases(
  source: LeaseSource,
): (lineage: string, limit: RateLimit) => LimitDecision | Promise<LimitDecision> {
  const held = new Map<string, Held>();
  const asked = new Map<string, Promise<Held | LimitDecision>>();

  function fromLease(own: Held | undefined): LimitDecision | undefined {
    if (own === undefined || own.slots < 1 || source.monotonicMs() >= own.untilMs) return undefined;
    own.slots -= 1;
    const { decision } = own.lease;
    return { ...decision, remaining: decision.remaining + own.slots };
  }

  async function reserve(
    key: string,
    lineage: string,
    limit: RateLimit,
  ): Promise<Held | LimitDecision> {
    // Counted from before the question: the primary counts from when it answers.
    const untilMs = source.monotonicMs() + LEASE_MS;
    const count = Math.min(Math.ceil(limit.requests / LEASED_PART), MOST_SLOTS);
    const lease = await source.reserve(lineage, limit, count, LEASE_MS);
    if (lease.slots === 0) return lease.decision;
    const own: Held = { lease, slots: lease.slots, untilMs };
    own.timer = setTimeout(() => {
      if (held.get(key) === own) held.delete(key);
      if (own.slots > 0) source.giveBack(lineage, lease.chargedAtMs, own.slots);
      own.slots = 0;
    }, LEASE_MS);
    held.set(key, own);
    return own;
  }

  async function takeLeased(
    key: string,
    lineage: string,
    limit: RateLimit,
  ): Promise<LimitDecision> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const decision = fromLease(held.get(key));
      if (decision !== undefined) return decision;
      let asking = asked.get(key);
      if (asking === undefined) {
        asking = reserve(key, lineage, limit).finally(() => asked.delete(key));
        asked.set(key, asking);
      }
      const outcome = await asking;
      if (!("lease" in outcome)) return outcome;
    }
    throw new Error("the primary grants leases too slowly to be used");
  }

  return (lineage, limit) => {
    if (limit.requests < LEASED_FROM) return source.take(lineage, limit);
    const key = `${limit.requests}/${limit.windowMs} ${lineage}`;
    return fromLease(held.get(key)) ?? takeLeased(key, lineage, limit);
  };
}
