import type { LimitDecision } from "./limit-decision.js";
import type { RateLimit } from "./rate-limit.js";

/** The name of the one policy: the limit of the key. */
const POLICY = '"key"';

/** `RateLimit-Policy` of a limit (draft-ietf-httpapi-ratelimit-headers-10 §3), window in seconds. */
export function formatRateLimitPolicy({ requests, windowMs }: RateLimit): string {
  return `${POLICY};q=${requests};w=${Math.ceil(windowMs / 1000)}`;
}

/**
 * `RateLimit` of a decision (§4): how many requests more at this instant (`r`), and seconds, rounded
 * up, until there are more (`t`).
 */
export function formatRateLimit({ remaining, resetMs, retryAfterMs }: LimitDecision): string {
  return `${POLICY};r=${remaining};t=${Math.ceil(Math.max(resetMs, retryAfterMs) / 1000)}`;
}
