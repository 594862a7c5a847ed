import type { RateLimit } from "./rate-limit.js";

/** What a rate limit says of one request (HTTP.md, 'Verdicts'). */
export interface LimitDecision {
  /** Whether the request is within the limit; if so, it has been charged. */
  readonly allowed: boolean;
  readonly limit: RateLimit;
  /** How many requests more would be admitted at this instant. */
  readonly remaining: number;
  /** Milliseconds until the oldest counted request leaves the window; 0 where none is counted. */
  readonly resetMs: number;
  /** Milliseconds until a request will be admitted; 0 where this one was. */
  readonly retryAfterMs: number;
}
