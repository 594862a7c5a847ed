import type { Entry } from "../core/entry.js";
import type { Answer, Presentation } from "../core/problem.js";
import type { RateLimit } from "../core/rate-limit.js";
import { formatRateLimitPolicy } from "../core/rate-limit-header.js";
import { identityHeaders, successAnswer } from "./identity.js";
import type { Snapshot } from "./snapshot.js";

/** What follows from a key's passing every check but its rate limit. */
export interface Granted {
  /** The answer, but for the state of the limit. */
  readonly answer: Answer;
  /** The limit that applies, and whose; undefined where none does. */
  readonly limited: LimitedGrant | undefined;
}

/** A limit that applies to a key. */
export interface LimitedGrant {
  readonly limit: RateLimit;
  readonly lineage: string;
  /** Its `RateLimit-Policy`. */
  readonly policy: string;
  /** The yes, with the state of the limit as `RateLimit` has it. */
  readonly answerAt: (state: string) => Answer;
}

/** How successes are answered. */
export interface GrantOptions {
  readonly userHeaders: readonly string[];
  readonly defaultLimit: RateLimit | undefined;
  readonly presentation: Presentation;
}

/**
 * The grants of the keys in force, each made at its first use and kept until a reload: what is
 * answered to a good token is looked up, not built.
 */
export function createGrants(options: GrantOptions): (snapshot: Snapshot, entry: Entry) => Granted {
  let inForce: Snapshot | undefined;
  // By entry and not by digest, and weak: a reader may make entries afresh at every look-up.
  let grants = new WeakMap<Entry, Granted>();
  return (snapshot, entry) => {
    if (snapshot !== inForce) {
      inForce = snapshot;
      grants = new WeakMap();
    }
    let granted = grants.get(entry);
    if (granted === undefined) {
      granted = grantOf(snapshot, entry, options);
      grants.set(entry, granted);
    }
    return granted;
  };
}

function grantOf(snapshot: Snapshot, entry: Entry, options: GrantOptions): Granted {
  const identity = identityHeaders(entry, snapshot.generation, options.userHeaders);
  const own = entry.rateLimit ?? options.defaultLimit;
  const limit = own === "none" ? undefined : own;
  const answer = successAnswer(identity, options.presentation);
  if (limit === undefined) return { answer, limited: undefined };
  const policy = formatRateLimitPolicy(limit);
  const prepared = [...answer.headers, "RateLimit-Policy", policy, "RateLimit", ""];
  const answerAt = (state: string): Answer => {
    const headers = prepared.slice();
    headers[headers.length - 1] = state;
    return { status: answer.status, headers, body: answer.body };
  };
  return { answer, limited: { limit, lineage: snapshot.lineageOf(entry), policy, answerAt } };
}
