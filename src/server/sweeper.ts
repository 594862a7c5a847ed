import { stateAt } from "../core/entry.js";
import type { Keystore } from "../core/keystore.js";
import { isKeysError } from "../errors.js";
import type { Change } from "../file/change.js";
import type { ServerEvent } from "./server-event.js";

/** After how long a sweep that failed is tried again, in milliseconds. */
const RETRY_MS = 60_000;
/** The longest wait: a clock may be set. In milliseconds. */
const LONGEST_WAIT_MS = 3_600_000;
const SECOND_MS = 1000;

/** What a sweeper is made from. */
export interface SweeperOptions {
  /** The keystore in force. */
  readonly keystore: () => Keystore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Retires what has expired in the file, and takes the result into force. */
  readonly sweep: () => Promise<void>;
  readonly report: (event: ServerEvent) => void;
  /** Milliseconds until a failed sweep is tried again; default 60,000. */
  readonly retryMs?: number;
}

/** Retires keys as they expire. */
export interface Sweeper {
  /** Looks when the next key expires: at the start, and whenever a keystore comes into force. */
  look(): void;
  close(): void;
}

/**
 * Has expired keys retired in the file, so that peers that know no expiry refuse them too. That it
 * can't be done is told and tried again after a minute; a verdict never hangs on it.
 */
export function createSweeper(options: SweeperOptions): Sweeper {
  const { keystore, now, sweep, report, retryMs = RETRY_MS } = options;
  let timer: NodeJS.Timeout | undefined;
  let sweeping = false;
  let closed = false;

  function look(): void {
    if (closed || sweeping) return;
    const next = nextExpiry(keystore());
    if (next !== undefined) wait(next - now());
  }

  function wait(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void wake(), Math.min(Math.max(ms, 0), LONGEST_WAIT_MS));
    timer.unref();
  }

  async function wake(): Promise<void> {
    const next = nextExpiry(keystore());
    if (next === undefined || next > now()) {
      look();
      return;
    }
    sweeping = true;
    try {
      await sweep();
      sweeping = false;
      // Where the keystore in force still has it, the file has not: not to be asked at once again.
      if (!closed) wait(Math.max((nextExpiry(keystore()) ?? LONGEST_WAIT_MS) - now(), SECOND_MS));
    } catch (error) {
      sweeping = false;
      report(failedEvent(error));
      if (!closed) wait(retryMs);
    }
  }

  return {
    look,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** The changes that retire every key that has expired; times are written to the second. */
export function sweepChanges(keystore: Keystore, nowMs: number): readonly Change[] {
  const retiredAt = Math.floor(nowMs / SECOND_MS) * SECOND_MS;
  return [...keystore.live()]
    .filter((entry) => stateAt(entry, nowMs) === "expired")
    .map(({ digest }) => ({ kind: "retire", digest, state: "expired", retiredAt }));
}

/** When the next live key expires, in milliseconds since 1970; undefined where none does. */
function nextExpiry(keystore: Keystore): number | undefined {
  let next: number | undefined;
  for (const { expiresAt } of keystore.live()) {
    if (expiresAt !== undefined && (next === undefined || expiresAt < next)) next = expiresAt;
  }
  return next;
}

function failedEvent(error: unknown): ServerEvent {
  return {
    level: "warning",
    event: "sweep-failed",
    message: `expired keys could not be retired: ${
      isKeysError(error) ? error.message : "the edit failed"
    }`,
  };
}
