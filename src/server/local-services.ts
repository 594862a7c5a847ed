import { createRateLimiter, type RateLimiter } from "../core/rate-limiter.js";
import { appendAudit } from "../file/audit-note.js";
import type { Policy } from "../file/policy.js";
import { updateStore } from "../file/store.js";
import type { Counters } from "./counters.js";
import { createFailureLimiter } from "./failure-limiter.js";
import type { KeystoreState } from "./keystore-state.js";
import type { Services } from "./services.js";

/** How long a change over HTTP waits for another writer, in milliseconds. */
const EDIT_TIMEOUT_MS = 5000;

/** What the services of one process are made from. */
export interface LocalServicesOptions {
  /** The keystore's file. */
  readonly path: string;
  readonly policy: () => Policy;
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
  const { path, state, counters, limiter = createRateLimiter(), monotonicMs } = options;
  const recording = { auditFile: options.auditFile, now: options.now };
  const failures = createFailureLimiter();
  return {
    takeLimit: (lineage, limit) => limiter.take(lineage, limit, monotonicMs()),
    failedLookup: (address) => failures.failed(address, monotonicMs()),
    used: options.used,
    async edit(plan, origin) {
      const result = await updateStore(path, plan, {
        policy: options.policy(),
        audit: origin,
        lockTimeoutMs: EDIT_TIMEOUT_MS,
        ...recording,
      });
      if (result.written) state.reload({ store: result.after });
      return result;
    },
    audit: (note) => appendAudit(path, note, recording),
    counters: () => counters.snapshot(),
    generations: (generation) => ({
      workers: 1,
      current: state.snapshot().generation === generation ? 1 : 0,
    }),
  };
}
