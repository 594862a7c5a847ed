import type { Entry } from "../core/entry.js";
import { generationOf } from "../core/generation.js";
import type { Keystore } from "../core/keystore.js";
import { createLineages } from "../core/lineage.js";

/** A keystore in force, with what follows from it alone. A reload makes a new one. */
export interface Snapshot {
  readonly keystore: Keystore;
  /** HTTP.md, 'Operations'; worked out once. */
  readonly generation: string;
  /** When it came into force, in milliseconds since 1970. */
  readonly loadedAtMs: number;
  /** Whose window a key's rate limit is counted in. */
  lineageOf(entry: Entry): string;
}

/** Takes a keystore into force. */
export function createSnapshot(keystore: Keystore, loadedAtMs: number): Snapshot {
  return {
    keystore,
    generation: generationOf(keystore),
    loadedAtMs,
    lineageOf: createLineages(keystore),
  };
}
