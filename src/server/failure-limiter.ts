import { createRateLimiter } from "../core/rate-limiter.js";
import type { RateLimit } from "../core/rate-limit.js";
import type { FailureDecision } from "./services.js";

/** Failed look-ups that an address has before its 401s become 429s (HTTP.md, 'Verdicts'). */
const FAILURES: RateLimit = { requests: 100, windowMs: 60_000 };

/** Most addresses remembered; beyond that the one that failed longest ago is forgotten. */
const MOST_ADDRESSES = 100_000;

/** Counts failed look-ups by address. */
export interface FailureLimiter {
  /** Counts a failed look-up, unless the address has had its share. */
  failed(address: string, nowMs: number): FailureDecision;
  /** How many addresses are remembered. */
  readonly size: number;
}

/** 100 failed look-ups in any 60 s for an address, at most 100,000 addresses remembered. */
export function createFailureLimiter(): FailureLimiter {
  const limiter = createRateLimiter({ mostLineages: MOST_ADDRESSES });
  return {
    failed(address, nowMs) {
      const { allowed, retryAfterMs } = limiter.take(address, FAILURES, nowMs);
      return { blocked: !allowed, retryAfterMs };
    },
    get size() {
      return limiter.size;
    },
  };
}
