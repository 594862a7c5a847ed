import type { Entry } from "../core/entry.js";
import { generationOf } from "../core/generation.js";
import type { Keystore } from "../core/keystore.js";
import type { Answer } from "../core/problem.js";
import { identityHeaders } from "./identity.js";

/** A keystore in force, with what follows from it alone. A reload makes a new one. */
export interface Snapshot {
  readonly keystore: Keystore;
  /** HTTP.md, 'Operations'; worked out once. */
  readonly generation: string;
  /** When it came into force, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  /** How many live keys have a rate limit. */
  readonly limitedCount: number;
  /** The answer to a granted request, made at the first one. */
  success(entry: Entry): Answer;
}

/** Takes a keystore into force. */
export function createSnapshot(keystore: Keystore, loadedAtMs: number): Snapshot {
  const generation = generationOf(keystore);
  // By entry and not by digest, and weak: a reader may make entries afresh at every look-up.
  const answers = new WeakMap<Entry, Answer>();
  return {
    keystore,
    generation,
    loadedAtMs,
    limitedCount: limitedCountOf(keystore),
    success(entry) {
      let answer = answers.get(entry);
      if (answer === undefined) {
        const headers = identityHeaders(entry, generation);
        answer = {
          status: 200,
          headers: [...headers, "Cache-Control", "no-store", "Content-Length", "0"],
          body: "",
        };
        answers.set(entry, answer);
      }
      return answer;
    },
  };
}

/** How many live keys have a rate limit. */
export function limitedCountOf(keystore: Keystore): number {
  let count = 0;
  for (const { rateLimit } of keystore.live()) {
    if (rateLimit !== undefined && rateLimit !== "none") count += 1;
  }
  return count;
}
