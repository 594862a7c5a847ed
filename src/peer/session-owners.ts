import { LRUCache } from "lru-cache";
import { KeysError } from "../errors.js";
import type { Identity } from "./verdict.js";

/** Most sessions held where nothing else is said. */
const MOST_SESSIONS = 100_000;

/** Why a session is not this contributor's. */
export interface SessionConflict {
  /**
   * `session-conflict`: another contributor was first. `sessions-full`: no more sessions can be
   * held, so nobody can tell. `owner-unknown`: `stored` threw, so nobody can tell now.
   */
  readonly code: "session-conflict" | "sessions-full" | "owner-unknown";
  readonly session: string;
  /** Who owns it; undefined where nobody can tell. */
  readonly owner: string | undefined;
  /** Who claimed it. */
  readonly claimant: string;
}

/** What a claim came to. */
export type SessionClaim =
  | { readonly ok: true; readonly owner: string; readonly first: boolean }
  | { readonly ok: false; readonly error: SessionConflict };

/** How owners are kept. */
export interface SessionOwnersOptions {
  /** Most sessions held in memory. Default 100,000. */
  readonly maxSessions?: number;
  /**
   * The owner of a session that is stored elsewhere; undefined for none. With it, memory is a cache
   * whose least recently used sessions go; without it no session is ever forgotten, since the next
   * to come would own it, and a claim beyond `maxSessions` is refused. Where it throws, a claim is
   * refused as `owner-unknown`.
   */
  readonly stored?: (session: string) => string | undefined;
  /** Told of each refused claim. What it throws is dropped: a claim never fails an ingest. */
  readonly onConflict?: (conflict: SessionConflict) => void;
}

/**
 * One contributor a session: who claims it first owns it. A conflict keeps the first owner and is
 * a value, never an exception.
 */
export class SessionOwners {
  readonly #maxSessions: number;
  readonly #stored: SessionOwnersOptions["stored"];
  readonly #onConflict: SessionOwnersOptions["onConflict"];
  readonly #owners: LRUCache<string, string>;

  /** @throws KeysError `value-invalid` where `maxSessions` is no positive whole number. */
  constructor(options: SessionOwnersOptions = {}) {
    const { maxSessions = MOST_SESSIONS, stored, onConflict } = options;
    if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
      throw new KeysError("value-invalid", "maxSessions is not a positive whole number");
    }
    this.#maxSessions = maxSessions;
    this.#stored = stored;
    this.#onConflict = onConflict;
    this.#owners = new LRUCache({ max: maxSessions });
  }

  /** How many sessions are held in memory. */
  get size(): number {
    return this.#owners.size;
  }

  /** The owner of a session; undefined where it has none. Throws what `stored` throws. */
  ownerOf(session: string): string | undefined {
    return this.#owners.get(session) ?? this.#stored?.(session);
  }

  /** Claims a session for who an identity is. */
  claim(session: string, identity: Pick<Identity, "id">): SessionClaim {
    const { id: claimant } = identity;
    let owner: string | undefined;
    try {
      owner = this.ownerOf(session);
    } catch {
      return this.#refuse({ code: "owner-unknown", session, owner: undefined, claimant });
    }
    if (owner === undefined && !this.#hasRoom()) {
      return this.#refuse({ code: "sessions-full", session, owner, claimant });
    }
    if (owner !== undefined && owner !== claimant) {
      return this.#refuse({ code: "session-conflict", session, owner, claimant });
    }
    this.#owners.set(session, claimant);
    return { ok: true, owner: claimant, first: owner === undefined };
  }

  #hasRoom(): boolean {
    return this.#stored !== undefined || this.#owners.size < this.#maxSessions;
  }

  #refuse(conflict: SessionConflict): SessionClaim {
    try {
      this.#onConflict?.(conflict);
    } catch {
      // The conflict is the caller's value all the same.
    }
    return { ok: false, error: conflict };
  }
}
