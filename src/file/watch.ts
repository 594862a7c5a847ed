import { constants } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isKeysError, KeysError, systemCode } from "../errors.js";
import { open } from "./disk.js";
import { ignore } from "./file-failure.js";
import type { KeystoreDocument } from "./document.js";
import type { DocumentMemory } from "./document-memory.js";
import type { Policy } from "./policy.js";
import { readStore, type StoredKeystore } from "./store.js";

/** How often the file is looked at, in milliseconds. */
const POLL_MS = 250;
/** How long size and mtime must have stood still before the file is read, in milliseconds. */
const SETTLE_MS = 50;

/** What a look at the file came to. */
export type WatchResult = { readonly store: StoredKeystore } | { readonly error: KeysError };

/** What a watcher tells, and how it goes about it. */
export interface WatchOptions {
  /** The file has new, settled content, or can't be read any more (told once, not at every look). */
  readonly onChange: (result: WatchResult) => void;
  /** Asked at each read, so that expiries are judged at the instant of the read. */
  readonly policy: () => Policy;
  /** What {@link fileSignature} gave before the content in hand was read: only later is news. */
  readonly since?: string;
  /** Milliseconds between two looks; default 250. */
  readonly pollMs?: number;
  /** Milliseconds for which the file must have stood still; default 50. */
  readonly settleMs?: number;
  /** How the file is read; default {@link readStore}. */
  readonly read?: (
    path: string,
    policy: Policy,
    known?: KeystoreDocument,
  ) => Promise<StoredKeystore>;
  /** What was read of the file before: only what has changed since is read again. */
  readonly memory?: Pick<DocumentMemory, "last">;
}

/** Follows a keystore file. */
export interface StoreWatcher {
  /** Looks at once and reads whether or not the file seems changed; settles after the telling. */
  check(): Promise<void>;
  /** Ends it: nothing is told afterwards. */
  close(): void;
}

/**
 * What tells one content of a path from another: device, inode, size and times of the file that
 * opening the path leads to, or the code of the failure.
 *
 * The file is opened, not just looked up, because a network file system answers `stat` from a cache
 * that `open` makes valid. Never throws.
 */
export async function fileSignature(path: string): Promise<string> {
  try {
    // Not to hang where the path has become a FIFO.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(":");
    } finally {
      await file.close();
    }
  } catch (error) {
    return systemCode(error) ?? "unreadable";
  }
}

/**
 * Follows a keystore file however it is replaced: written in place, renamed over, its symbolic link
 * or that of a parent directory swapped (as Kubernetes does), on a file system without events. It
 * polls, since events cover none of these surely.
 *
 * A file is read only when it has stood still for `settleMs`, and told of only when it still stood
 * as before after the read, so that a write in place is never seen half done. Timers don't keep the
 * process alive.
 */
export function watchStore(path: string, options: WatchOptions): StoreWatcher {
  const pollMs = options.pollMs ?? POLL_MS;
  const settleMs = options.settleMs ?? SETTLE_MS;
  const read = options.read ?? readStore;
  const stop = new AbortController();
  // `since` undefined: whatever is found first is news.
  let seen = options.since;
  let failure: string | undefined;
  let looking: Promise<void> = Promise.resolve();

  async function look(force: boolean): Promise<void> {
    let signature = await fileSignature(path);
    if (!force && signature === seen) return;
    while (!stop.signal.aborted) {
      await delay(settleMs, undefined, { ref: false });
      const settled = await fileSignature(path);
      if (settled === signature) {
        const result = await readOnce();
        const after = await fileSignature(path);
        if (after === signature && result !== undefined) {
          tell(result, signature, force);
          return;
        }
        signature = after;
      } else {
        signature = settled;
      }
    }
  }

  /** Undefined where the file changed during the read. */
  async function readOnce(): Promise<WatchResult | undefined> {
    try {
      return { store: await read(path, options.policy(), options.memory?.last) };
    } catch (error) {
      if (isKeysError(error, "file-changing")) return undefined;
      if (isKeysError(error)) return { error };
      return { error: new KeysError("internal", "reading the keystore failed", { cause: error }) };
    }
  }

  function tell(result: WatchResult, signature: string, force: boolean): void {
    if (stop.signal.aborted) return;
    const failed = "error" in result ? `${result.error.code} ${signature}` : undefined;
    // A failure may pass without the file changing (I/O, a stale handle): looked at again each
    // time, told once.
    seen = failed === undefined ? signature : undefined;
    const news = force || failed === undefined || failed !== failure;
    failure = failed;
    if (news) options.onChange(result);
  }

  function enqueue(force: boolean): Promise<void> {
    looking = looking.catch(ignore).then(() => (stop.signal.aborted ? undefined : look(force)));
    return looking;
  }

  async function poll(): Promise<void> {
    while (!stop.signal.aborted) {
      await delay(pollMs, undefined, { ref: false });
      // What a listener throws is its own, and told as such; the file is followed all the same.
      void enqueue(false);
      await looking.catch(ignore);
    }
  }

  void poll();
  return {
    check: () => enqueue(true),
    close: () => {
      stop.abort();
    },
  };
}
