import { createAuditNotes } from "./audit-notes.js";
import type { FromWorker } from "./ipc.js";
import type { KeystoreEdit } from "./keystore-edit.js";
import { createLeases } from "./lease.js";
import type { PrimaryLine } from "./primary-line.js";
import type { Services } from "./services.js";

/** How long a worker waits until an edit is in force in all of them, in milliseconds. */
const RELOAD_MS = 15_000;

/** What the services of a worker are made from. */
export interface RemoteServicesOptions {
  readonly line: PrimaryLine;
  readonly send: (message: FromWorker) => void;
  /** The keystore's file. */
  readonly path: string;
  readonly auditFile: string | undefined;
  /** Changes it. */
  readonly edit: KeystoreEdit;
  readonly used: (digest: string, nowMs: number) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicMs: () => number;
}

/**
 * What handlers use of the server around them, in a worker: limits, failures, counters and
 * generations are the primary's. Edits are made here, under the file's lock, by which workers and
 * the command line wait for each other; then the primary has every worker take the file into force.
 *
 * Whatever the primary does not answer in time rejects, and becomes a 503.
 */
export function createRemoteServices(options: RemoteServicesOptions): Services {
  const { line, send, monotonicMs } = options;
  const leased = createLeases({
    take: (lineage, limit) => line.ask("take", { lineage, limit }),
    reserve: (lineage, limit, count, leaseMs) =>
      line.ask("reserve", { lineage, limit, count, leaseMs }),
    giveBack: (lineage, chargedAtMs, unused) => {
      send({ kind: "give-back", lineage, chargedAtMs, unused });
    },
    monotonicMs,
  });
  return {
    takeLimit: (lineage, limit) => leased(lineage, limit),
    failedLookup: (address) => line.ask("failed", { address }),
    used: options.used,
    async edit(plan, origin) {
      const result = await options.edit(plan, origin);
      if (result.written) await line.ask("reload", null, RELOAD_MS);
      return result;
    },
    audit: createAuditNotes(options),
    counters: () => line.ask("counters", null),
    generations: (generation) => line.ask("generations", generation),
  };
}
