import { createRateLimiter, type RateLimiter } from "../core/rate-limiter.js";
import { createAuditNotes } from "./audit-notes.js";
import type { Counters } from "./counters.js";
import { createFailureLimiter } from "./failure-limiter.js";
import type { KeystoreEdit } from "./keystore-edit.js";
import type { KeystoreState } from "./keystore-state.js";
import type { Services } from "./services.js";

/** What the services of one process are made from. */
export interface LocalServicesOptions {
  /** The keystore's file. */
  readonly path: string;
  /** Changes it. */
  readonly edit: KeystoreEdit;
  readonly state: KeystoreState;
  readonly counters: Counters;
  /** Where limits are counted; default one of its own. */
  readonly limiter?: RateLimiter;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back: what limits are counted by. */
  readonly monotonicMs: () => number;
  /** Told of every use of a key: its digest, and milliseconds since 1970. */
  readonly used: (digest: string, nowMs: number) => void;
  /** Where changes are recorded; default beside the keystore. */
  readonly auditFile: string | undefined;
}

/** What handlers use of a server that is one process: everything is at hand. */
export function createLocalServices(options: LocalServicesOptions): Services {
  const { state, counters, limiter = createRateLimiter(), monotonicMs } = options;
  const failures = createFailureLimiter();
  return {
    takeLimit: (lineage, limit, atMs) => limiter.take(lineage, limit, atMs ?? monotonicMs()),
    failedLookup: (address) => failures.failed(address, monotonicMs()),
    used: options.used,
    async edit(plan, origin) {
      const result = await options.edit(plan, origin);
      if (result.written) state.reload({ store: result.after });
      return result;
    },
    audit: createAuditNotes(options),
    counters: () => counters.snapshot(),
    generations: (generation) => ({
      workers: 1,
      current: state.snapshot().generation === generation ? 1 : 0,
    }),
  };
}
