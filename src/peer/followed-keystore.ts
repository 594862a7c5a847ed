import { generationOf } from "../core/generation.js";
import type { Keystore } from "../core/keystore.js";
import type { KeysError } from "../errors.js";
import type { Diagnostic } from "../file/diagnostic.js";
import { DocumentMemory } from "../file/document-memory.js";
import { readForService } from "../file/service-read.js";
import { KeystoreInvalidError } from "../file/keystore-invalid.js";
import { loadForPeer, reloadedKeystore, type LoadKeystoreOptions } from "../file/load.js";
import {
  watchStore,
  type StoreWatcher,
  type WatchOptions,
  type WatchResult,
} from "../file/watch.js";

/** A keystore that was read again and is in force. */
export interface ReloadEvent {
  readonly generation: string;
  /** How many keys are live: where it is 0, nobody gets in any more. */
  readonly liveCount: number;
  /** Warnings, in file order. */
  readonly diagnostics: readonly Diagnostic[];
}

/** How a file is looked at: every `pollMs` (250), read once it stood still for `settleMs` (50). */
type WatchTimes = Pick<WatchOptions, "pollMs" | "settleMs">;

/** How a keystore's file is followed. */
export interface FollowOptions extends LoadKeystoreOptions {
  /**
   * Whether the file is followed, and how often it is looked at, in milliseconds. Default true:
   * every 250 ms. With `false`, a revoked key works until the process ends or `reload()` is called.
   */
  readonly watch?: boolean | WatchTimes;
  /** Told when a new content is in force. */
  readonly onReload?: (event: ReloadEvent) => void;
  /** Told when a new content was refused or can't be read; the last good keystore is in force. */
  readonly onError?: (error: KeysError) => void;
}

/** A keystore whose file is followed. */
export interface FollowedKeystore {
  /** What is in force. */
  readonly keystore: Keystore;
  /** Looks at the file at once. */
  check(): Promise<void>;
  close(): void;
}

/** Loads a keystore and follows its file. Throws what `loadKeystore` throws. */
export async function followKeystore(
  file: string,
  options: FollowOptions,
  now: () => number,
): Promise<FollowedKeystore> {
  const policy = (): LoadKeystoreOptions["policy"] & { nowMs: number } => ({
    ...options.policy,
    nowMs: now(),
  });
  const { watch = true, onReload, onError } = options;
  const loaded = await loadForPeer(file, { ...options, policy: policy() });
  let { keystore } = loaded;
  const memory = new DocumentMemory(loaded.document);

  function take(result: WatchResult): void {
    if ("error" in result) {
      tell(onError, result.error);
      return;
    }
    const { diagnostics } = result.store;
    const next = reloadedKeystore(result.store);
    if (next === undefined) {
      tell(onError, new KeystoreInvalidError(diagnostics, "the keystore was not reloaded"));
      return;
    }
    keystore = next;
    memory.keep(result.store.document);
    tell(onReload, {
      generation: generationOf(next),
      liveCount: next.liveCount,
      diagnostics: diagnostics.filter(({ severity }) => severity === "warning"),
    });
  }

  const follow = (times: WatchTimes): StoreWatcher =>
    watchStore(file, {
      ...times,
      onChange: take,
      policy,
      since: loaded.since,
      memory,
      read: readForService,
    });
  const watcher = watch === false ? undefined : follow(watch === true ? {} : watch);
  return {
    get keystore() {
      return keystore;
    },
    async check() {
      if (watcher !== undefined) return watcher.check();
      // Nothing watches: one look, and no more.
      const once = follow({});
      try {
        await once.check();
      } finally {
        once.close();
      }
    },
    close() {
      watcher?.close();
    },
  };
}

/** Later and alone, so that a callback that throws is seen and takes no watcher with it. */
function tell<T>(callback: ((event: T) => void) | undefined, event: T): void {
  if (callback !== undefined)
    queueMicrotask(() => {
      callback(event);
    });
}
