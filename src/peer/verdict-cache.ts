import { LRUCache } from "lru-cache";
import type { GrantedVerdict, RefusedVerdict } from "./verdict.js";

/** A verdict that is worth remembering. */
export type Memorable = GrantedVerdict | RefusedVerdict;

/** Verdicts of a server, by what was asked and the digest of who asked. */
export interface VerdictCache {
  /** Goes up whenever everything is forgotten: what was asked for before is out of date. */
  readonly epoch: number;
  /** A remembered verdict that is fresh. */
  fresh(key: string, nowMs: number): Memorable | undefined;
  /** A remembered verdict that is fresh, or was up to the stale bound ago. */
  stale(key: string, nowMs: number): Memorable | undefined;
  /**
   * Remembers a verdict.
   *
   * @param freshMs - for how long it may be given as it is.
   * @param lifetimeMs - after how long it may not be given at all.
   */
  remember(
    key: string,
    verdict: Memorable,
    times: { readonly freshMs: number; readonly lifetimeMs: number },
    nowMs: number,
  ): void;
  /** Takes note of the server's generation; where it moved, everything is forgotten. */
  observe(generation: string): void;
  /** Forgets everything. */
  clear(): void;
}

interface Remembered {
  readonly cached: Memorable;
  readonly stale: Memorable;
  readonly sinceMs: number;
  readonly freshUntilMs: number;
  readonly usableUntilMs: number;
}

/**
 * Yes and no are kept apart, so that a flood of bad tokens pushes no good one out.
 *
 * @param maxEntries - of each: the least recently used beyond these are forgotten.
 * @param maxStaleMs - how long past its freshness a verdict may still be given as stale.
 */
export function createVerdictCache(maxEntries: number, maxStaleMs: number): VerdictCache {
  const granted = new LRUCache<string, Remembered>({ max: maxEntries });
  const refused = new LRUCache<string, Remembered>({ max: maxEntries });
  let generation: string | undefined;
  let epoch = 0;

  function usable(key: string, nowMs: number): Remembered | undefined {
    const entry = granted.get(key) ?? refused.get(key);
    if (entry === undefined) return undefined;
    // A clock that was set back must not lengthen a life.
    if (nowMs >= entry.sinceMs && nowMs < entry.usableUntilMs) return entry;
    forget(key);
    return undefined;
  }

  function forget(key: string): void {
    granted.delete(key);
    refused.delete(key);
  }

  function clear(): void {
    epoch += 1;
    granted.clear();
    refused.clear();
  }

  return {
    get epoch() {
      return epoch;
    },
    fresh(key, nowMs) {
      const entry = usable(key, nowMs);
      return entry !== undefined && nowMs < entry.freshUntilMs ? entry.cached : undefined;
    },
    stale: (key, nowMs) => usable(key, nowMs)?.stale,
    remember(key, verdict, { freshMs, lifetimeMs }, nowMs) {
      forget(key);
      const usableUntilMs = nowMs + Math.min(freshMs + maxStaleMs, lifetimeMs);
      if (usableUntilMs <= nowMs) return;
      (verdict.ok ? granted : refused).set(key, {
        cached: Object.freeze({ ...verdict, source: "cache" }),
        stale: Object.freeze({ ...verdict, source: "stale" }),
        sinceMs: nowMs,
        freshUntilMs: nowMs + freshMs,
        usableUntilMs,
      });
    },
    observe(next) {
      if (generation !== undefined && next !== generation) clear();
      generation = next;
    },
    clear,
  };
}
