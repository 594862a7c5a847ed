import type { LimitDecision } from "../core/limit-decision.js";
import type { RateLimit } from "../core/rate-limit.js";
import type { Lease } from "../core/rate-limiter.js";

/** From how many requests on a limit is leased in pieces; below it the primary is asked each time. */
const LEASED_FROM = 1000;
/** How long a lease may be used, in milliseconds. */
const LEASE_MS = 100;
/** The part of a limit that one lease takes, unless more requests wait for it; and at most. */
const LEASED_PART = 100;
const MOST_SLOTS = 1000;
/** After how many leases that ran out before its turn a request asks for itself. */
const MOST_ATTEMPTS = 3;

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
  /** How many requests wait for a lease, by what they wait for. */
  const waiting = new Map<string, number>();

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
    const part = Math.ceil(limit.requests / LEASED_PART);
    const count = Math.min(Math.max(part, waiting.get(key) ?? 0), MOST_SLOTS);
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

  /** The lease on its way, or a new one. */
  function asking(key: string, lineage: string, limit: RateLimit): Promise<Held | LimitDecision> {
    let lease = asked.get(key);
    if (lease === undefined) {
      // Behind the requests of this turn, all of which are counted then.
      lease = Promise.resolve()
        .then(() => reserve(key, lineage, limit))
        .finally(() => asked.delete(key));
      asked.set(key, lease);
    }
    return lease;
  }

  async function takeLeased(
    key: string,
    lineage: string,
    limit: RateLimit,
  ): Promise<LimitDecision> {
    waiting.set(key, (waiting.get(key) ?? 0) + 1);
    try {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const decision = fromLease(held.get(key));
        if (decision !== undefined) return decision;
        const outcome = await asking(key, lineage, limit);
        if (!("lease" in outcome)) return outcome;
      }
    } finally {
      const others = (waiting.get(key) ?? 1) - 1;
      if (others === 0) waiting.delete(key);
      else waiting.set(key, others);
    }
    return source.take(lineage, limit);
  }

  return (lineage, limit) => {
    if (limit.requests < LEASED_FROM) return source.take(lineage, limit);
    const key = `${limit.requests}/${limit.windowMs} ${lineage}`;
    return fromLease(held.get(key)) ?? takeLeased(key, lineage, limit);
  };
}
