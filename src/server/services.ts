import type { LimitDecision } from "../core/limit-decision.js";
import type { RateLimit } from "../core/rate-limit.js";
import type { AuditOrigin, AuditNote } from "../file/audit.js";
import type { Change } from "../file/change.js";
import type { StoredKeystore } from "../file/store.js";
import type { UpdateResult } from "../file/update-store.js";
import type { CounterSnapshot } from "./counters.js";

/** A value, or a promise of it where another process has to be asked. */
export type Awaitable<T> = T | Promise<T>;

/** What one worker has in force. */
export interface WorkerGenerations {
  /** How many workers there are; 1 where the server is one process. */
  readonly workers: number;
  /** How many of them have the generation asked about in force. */
  readonly current: number;
}

/** What became of a failed look-up from an address. */
export interface FailureDecision {
  /** Whether the address has failed too often: the 401 becomes a 429. */
  readonly blocked: boolean;
  /** Milliseconds until a failed look-up is answered by 401 again; 0 where not blocked. */
  readonly retryAfterMs: number;
}

/**
 * What handlers use of the server around them. In one process everything is at hand; a worker asks
 * its primary, so that limits, counters and edits are those of the whole server.
 */
export interface Services {
  /**
   * Charges a request to the limit of a key's lineage.
   *
   * @param atMs - when it came, in milliseconds of a clock that never goes back; default now.
   */
  takeLimit(lineage: string, limit: RateLimit, atMs?: number): Awaitable<LimitDecision>;
  /** Counts a failed look-up from an address (an IPv4 address or IPv6 /64). */
  failedLookup(address: string, nowMs: number): Awaitable<FailureDecision>;
  /** Notes that a key was used; never waits, never throws. */
  used(digest: string, nowMs: number): void;
  /**
   * Changes the keystore's file, audited, then takes it into force in every worker (file first,
   * memory after).
   *
   * @throws KeysError what `updateStore` throws; then nothing has changed.
   */
  edit(
    plan: (store: StoredKeystore) => readonly Change[],
    origin: AuditOrigin,
  ): Promise<UpdateResult>;
  /** Resolves when the note stands durably in the audit log. @throws KeysError where it can't. */
  audit(note: AuditNote): Promise<void>;
  /** The counters of all workers, added up. */
  counters(): Awaitable<CounterSnapshot>;
  /** How many workers have a generation in force. */
  generations(generation: string): Awaitable<WorkerGenerations>;
}
