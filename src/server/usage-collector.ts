import { setTimeout as delay } from "node:timers/promises";
import { isKeysError } from "../errors.js";
import type { LastUse } from "../file/usage.js";
import type { ServerEvent } from "./server-event.js";

/** How often last uses are written at most, in milliseconds. */
const INTERVAL_MS = 10_000;

/** How long the end waits for the last write, in milliseconds. */
const CLOSE_MS = 2000;

/** Of writes that failed in a row, every so many-th is told. */
const TOLD_EVERY = 10;

/** What a collector is made from. */
export interface UsageCollectorOptions {
  /** Writes them all; rejects where it can't. */
  readonly write: (uses: LastUse) => Promise<void>;
  /** Told how many were lost with a write that failed. */
  readonly onDropped: (count: number) => void;
  readonly report: (event: ServerEvent) => void;
  /** Milliseconds between two writes; default 10,000. */
  readonly intervalMs?: number;
}

/** When keys were last used, on its way to the file. */
export interface UsageCollector {
  /** Notes a use: digest, milliseconds since 1970. Never waits, never throws. */
  used(digest: string, nowMs: number): void;
  /** Writes what is there, and ends. Waits 2 s at most. */
  close(): Promise<void>;
}

/**
 * Gathers last uses in memory, one instant a key, and has them written at most every 10 s and at
 * the end. A verdict never waits for it. What can't be written is lost, counted and told: at the
 * first failure in a row and at every tenth.
 */
export function createUsageCollector(options: UsageCollectorOptions): UsageCollector {
  const { write, onDropped, report, intervalMs = INTERVAL_MS } = options;
  let pending = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let failures = 0;

  async function writeOut(): Promise<void> {
    if (pending.size === 0) return;
    const uses = pending;
    pending = new Map();
    try {
      await write(uses);
      failures = 0;
    } catch (error) {
      onDropped(uses.size);
      failures += 1;
      if (failures % TOLD_EVERY === 1) report(droppedEvent(uses.size, failures, error));
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(writeOut);
    return writing;
  }

  return {
    used(digest, nowMs) {
      pending.set(digest, nowMs);
      timer ??= setTimeout(() => void flush(), intervalMs).unref();
    },
    async close() {
      await Promise.race([flush(), delay(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

function droppedEvent(count: number, failures: number, error: unknown): ServerEvent {
  return {
    level: "warning",
    event: "last-use-dropped",
    message: `the last use of ${count} ${count === 1 ? "key" : "keys"} could not be written: ${
      isKeysError(error) ? error.message : "the write failed"
    }`,
    details: { count, failures },
  };
}
