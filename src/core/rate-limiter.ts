import { ChargeLog } from "./charge-log.js";
import type { LimitDecision } from "./limit-decision.js";
import type { RateLimit } from "./rate-limit.js";

/** Up to this limit a window is exact to the millisecond; above it, charges share sub-buckets. */
export const EXACT_REQUESTS = 10_000;

/** Sub-buckets of a window above {@link EXACT_REQUESTS}. */
const BUCKETS = 1000;

/** One in so many calls looks whether a lineage has become idle. */
const SWEEP_EVERY = 32;

/** Slots of a limit that another process may use without asking again. */
export interface Lease {
  /** How many requests may be admitted on it; 0 where none are left. */
  readonly slots: number;
  /** The instant its slots are charged at: they count until a window after it. */
  readonly chargedAtMs: number;
  /** What the limit says after the lease; `allowed` where it has a slot. */
  readonly decision: LimitDecision;
}

/** How a rate limiter is bounded. */
export interface RateLimiterOptions {
  /** Most lineages remembered: the one charged longest ago is forgotten first. Default no bound. */
  readonly mostLineages?: number;
}

/** Rate limits of many lineages, as exact sliding windows. */
export interface RateLimiter {
  /** Charges one request, where the limit admits it. A denied request is not charged. */
  take(lineage: string, limit: RateLimit, nowMs: number): LimitDecision;
  /**
   * Charges up to `count` requests at once, to be admitted until `nowMs + leaseMs`. Each slot is
   * charged at the lease's end: a request admitted at any instant before it is counted for at least
   * a window after that, so that takes and leases together never pass the limit.
   */
  reserve(lineage: string, limit: RateLimit, count: number, nowMs: number, leaseMs: number): Lease;
  /**
   * Frees slots of a lease that have not been used and will not be: at the latest 10 s after the
   * lease's end, else they stay charged.
   */
  giveBack(lineage: string, lease: Pick<Lease, "chargedAtMs">, unused: number): void;
  /** How many lineages are remembered. */
  readonly size: number;
}

/**
 * A rate limiter over logs of instants. A limit of N requests a window admits no N + 1 in any span
 * shorter than the window, whatever its beginning: a charge at `s` counts until just before
 * `s + window`. It is exact to the millisecond of the clock it is given.
 *
 * Above 10,000 requests a window, charges are kept in sub-buckets of a thousandth of the window and
 * count as if made at their bucket's end: never more is admitted than the limit, and a slot can come
 * free up to a thousandth of the window late.
 *
 * Memory: 16 octets an instant, at most N instants (1,001 with sub-buckets) for a lineage, nothing
 * for one that has been idle for its window. A limit that changes keeps what was charged, as far as
 * the windows asked so far have kept it.
 *
 * Times are milliseconds of one clock, best a monotonic one. Where it goes back, time stands still
 * here until it has caught up: nothing opens early.
 */
export function createRateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  const { mostLineages = Number.POSITIVE_INFINITY } = options;
  const logs = new Map<string, ChargeLog>();
  let latestMs = Number.NEGATIVE_INFINITY;
  let calls = 0;
  let sweep = logs.entries();

  function logOf(lineage: string, limit: RateLimit, nowMs: number): ChargeLog {
    if (nowMs > latestMs) latestMs = nowMs;
    calls += 1;
    if (calls % SWEEP_EVERY === 0) sweepOne();
    let log = logs.get(lineage);
    if (log === undefined) {
      log = new ChargeLog();
      if (logs.size >= mostLineages) forgetOldest();
      logs.set(lineage, log);
    } else if (mostLineages !== Number.POSITIVE_INFINITY) {
      // A map keeps its keys in the order they were set.
      logs.delete(lineage);
      logs.set(lineage, log);
    }
    adopt(log, limit, latestMs);
    log.prune(latestMs);
    return log;
  }

  function forgetOldest(): void {
    for (const lineage of logs.keys()) {
      logs.delete(lineage);
      return;
    }
  }

  function sweepOne(): void {
    const next = sweep.next();
    if (next.done === true) {
      sweep = logs.entries();
      return;
    }
    const [lineage, log] = next.value;
    log.prune(latestMs);
    if (log.total === 0) logs.delete(lineage);
  }

  return {
    take(lineage, limit, nowMs) {
      const log = logOf(lineage, limit, nowMs);
      const charged = chargedIn(log, limit, latestMs);
      if (charged >= limit.requests) return denial(log, limit, charged, latestMs);
      log.add(chargeTime(limit, latestMs), 1, latestMs);
      return decisionAfter(log, limit, charged + 1, latestMs);
    },
    reserve(lineage, limit, count, nowMs, leaseMs) {
      const log = logOf(lineage, limit, nowMs);
      const charged = chargedIn(log, limit, latestMs);
      const chargedAtMs = chargeTime(limit, latestMs + leaseMs);
      const slots = Math.min(Math.max(count, 0), Math.max(limit.requests - charged, 0));
      if (slots === 0) {
        return { slots, chargedAtMs, decision: denial(log, limit, charged, latestMs) };
      }
      log.add(chargedAtMs, slots, latestMs);
      return { slots, chargedAtMs, decision: decisionAfter(log, limit, charged + slots, latestMs) };
    },
    giveBack(lineage, { chargedAtMs }, unused) {
      logs.get(lineage)?.remove(chargedAtMs, Math.max(unused, 0), latestMs);
    },
    get size() {
      return logs.size;
    },
  };
}

/**
 * Keeps what the limits asked of a lineage need. Two keys of one lineage may have limits of their
 * own; a window that nobody has asked about for its length is given up.
 */
function adopt(log: ChargeLog, { requests, windowMs }: RateLimit, nowMs: number): void {
  if (requests > log.most) log.most = requests;
  if (windowMs >= log.windowMs) {
    log.windowMs = windowMs;
    log.widestAtMs = nowMs;
  } else if (log.widestAtMs + log.windowMs <= nowMs) {
    log.windowMs = windowMs;
    log.widestAtMs = nowMs;
    log.most = requests;
  }
}

/** How many charges count against a limit; the log is pruned already. */
function chargedIn(log: ChargeLog, { windowMs }: RateLimit, nowMs: number): number {
  if (windowMs === log.windowMs) return log.total;
  let charged = 0;
  for (let place = log.size - 1; place >= 0; place -= 1) {
    if (log.timeAt(place) + windowMs <= nowMs) break;
    charged += log.countAt(place);
  }
  return charged;
}

/** When a charge counts as made: at the end of its sub-bucket, where there are any. */
function chargeTime({ requests, windowMs }: RateLimit, atMs: number): number {
  if (requests <= EXACT_REQUESTS) return atMs;
  const width = windowMs / BUCKETS;
  return Math.ceil(atMs / width) * width;
}

function decisionAfter(
  log: ChargeLog,
  limit: RateLimit,
  charged: number,
  nowMs: number,
): LimitDecision {
  return {
    allowed: true,
    limit,
    remaining: limit.requests - charged,
    resetMs: leavesIn(log, limit, charged, 1, nowMs),
    retryAfterMs: 0,
  };
}

function denial(log: ChargeLog, limit: RateLimit, charged: number, nowMs: number): LimitDecision {
  const resetMs = leavesIn(log, limit, charged, 1, nowMs);
  // After a limit was lowered more than one has to leave.
  const toLeave = charged - limit.requests + 1;
  return {
    allowed: false,
    limit,
    remaining: 0,
    resetMs,
    retryAfterMs: toLeave <= 1 ? resetMs : leavesIn(log, limit, charged, toLeave, nowMs),
  };
}

/** Milliseconds until so many of the counted charges have left the window. */
function leavesIn(
  log: ChargeLog,
  { windowMs }: RateLimit,
  charged: number,
  leaving: number,
  nowMs: number,
): number {
  if (leaving === 1 && charged === log.total && charged > 0) {
    return log.oldestMs + windowMs - nowMs;
  }
  // The oldest that count stand behind those kept for a longer window alone.
  let ahead = log.total - charged + leaving;
  for (let place = 0; place < log.size; place += 1) {
    ahead -= log.countAt(place);
    if (ahead <= 0) return log.timeAt(place) + windowMs - nowMs;
  }
  return 0;
}
