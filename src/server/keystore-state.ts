import type { Keystore } from "../core/keystore.js";
import type { Diagnostic } from "../file/diagnostic.js";
import type { WatchResult } from "../file/watch.js";
import { reloadedKeystore } from "../file/load.js";
import { createSnapshot, type Snapshot } from "./snapshot.js";

/** Why a server is not as it should be, in `/readyz`. */
export type Degradation =
  | "empty-keystore"
  | "keystore-invalid"
  | "keystore-missing"
  | "keystore-unreadable"
  | "tls-invalid"
  | "unauthenticated-allowed";

/** What became of a reload. */
export interface ReloadOutcome {
  /** False where the file was refused and the last good keystore stays in force. */
  readonly applied: boolean;
  readonly degraded: readonly Degradation[];
  /** What is wrong inside the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Why the file could not be read. */
  readonly error?: string;
}

/** The keystore in force, and how the server stands. */
export interface KeystoreState {
  snapshot(): Snapshot;
  degraded(): readonly Degradation[];
  /** Whether the server is on its way out. */
  stopping(): boolean;
  /** Adds a reason that has nothing to do with the keystore, or takes it away again. */
  setDegraded(why: Degradation, isSo: boolean): void;
  /** Takes in what a watcher tells. A reload never opens anything. */
  reload(result: WatchResult): ReloadOutcome;
  beginStop(): void;
}

/** Begins with a keystore that a start may serve; `now` gives milliseconds since 1970. */
export function createKeystoreState(keystore: Keystore, now: () => number): KeystoreState {
  let snapshot = createSnapshot(keystore, now());
  let degraded = emptiness(keystore);
  const besides = new Set<Degradation>();
  let stopping = false;

  function refuse(why: Degradation): void {
    // What is in force may be empty besides.
    degraded = [why, ...emptiness(snapshot.keystore)];
  }

  return {
    snapshot: () => snapshot,
    degraded: () => [...degraded, ...besides],
    stopping: () => stopping,
    setDegraded(why, isSo) {
      if (isSo) besides.add(why);
      else besides.delete(why);
    },
    reload(result) {
      if ("error" in result) {
        const { code, message } = result.error;
        refuse(code === "file-not-found" ? "keystore-missing" : "keystore-unreadable");
        return {
          applied: false,
          degraded: [...degraded, ...besides],
          diagnostics: [],
          error: message,
        };
      }
      const { diagnostics } = result.store;
      const next = reloadedKeystore(result.store);
      if (next === undefined) {
        refuse("keystore-invalid");
        return { applied: false, degraded: [...degraded, ...besides], diagnostics };
      }
      snapshot = createSnapshot(next, now());
      degraded = emptiness(next);
      return { applied: true, degraded: [...degraded, ...besides], diagnostics };
    },
    beginStop() {
      stopping = true;
    },
  };
}

function emptiness(keystore: Keystore): readonly Degradation[] {
  return keystore.liveCount === 0 ? ["empty-keystore"] : [];
}
