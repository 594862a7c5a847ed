import { parseDuration } from "./duration.js";

const SHORTEST_WINDOW_MS = 1000;
const LONGEST_WINDOW_MS = 30 * 86_400_000;

const LIMIT = /^([1-9][0-9]*)\/(.+)$/;

/** A limit: at most `requests` in any window of `windowMs` milliseconds. */
export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/**
 * Reads `N/duration` (N ≥ 1, a window of 1 s to 30 d) or `none`; undefined for any other text.
 */
export function parseRateLimit(text: string): RateLimit | "none" | undefined {
  if (text === "none") return "none";
  const match = LIMIT.exec(text);
  if (match === null) return undefined;
  const requests = Number(match[1]);
  const windowMs = parseDuration(match[2] ?? "");
  if (!Number.isSafeInteger(requests) || windowMs === undefined) return undefined;
  if (windowMs < SHORTEST_WINDOW_MS || windowMs > LONGEST_WINDOW_MS) return undefined;
  return { requests, windowMs };
}
