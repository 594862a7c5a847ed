import type { Change } from "./change.js";
import type { Diagnostic } from "./diagnostic.js";
import type { KeystoreDocument, Policy } from "./document.js";

/** A keystore file as it was read. */
export interface StoredKeystore {
  /** The path as it was named. */
  readonly path: string;
  /** Whether the file is there. */
  readonly exists: boolean;
  /** Diagnostics of the text and of the file itself (permissions, owner), in file order. */
  readonly diagnostics: readonly Diagnostic[];
  readonly document: KeystoreDocument;
}

/** How {@link updateStore} goes about it. */
export interface UpdateOptions {
  readonly policy: Policy;
  /** Make a missing file (0600). Otherwise `file-not-found`. */
  readonly create?: boolean;
  /** Work out everything and write nothing. */
  readonly dryRun?: boolean;
  /** How long to wait for a living holder of the lock, in milliseconds. Default 60,000. */
  readonly lockTimeoutMs?: number;
  /** Aborting it before the rename leaves the file as it was (`interrupted`). */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link updateStore} did. */
export interface UpdateResult {
  readonly before: StoredKeystore;
  /** The keystore as it stands now (or would, with `dryRun`). */
  readonly after: StoredKeystore;
  /** False where there was nothing to change, and with `dryRun`. */
  readonly written: boolean;
}

/**
 * Reads a keystore file. What is wrong inside it is in `diagnostics`.
 *
 * @throws KeysError `file-not-found`, `file-is-directory`, `file-unreadable`, `file-changing`.
 */
export function readStore(path: string, policy: Policy): Promise<StoredKeystore> {
  void path;
  void policy;
  throw new Error("not yet");
}

/**
 * Changes a keystore file: under its lock, from the text as it stands, by one atomic write that is
 * durable when this returns. `plan` says what to change from what the file holds; it may be called
 * again where the file changes in between, and may throw to refuse.
 *
 * @throws KeysError what {@link readStore} and `editKeystore` throw, and `lock-timeout`,
 *   `file-unwritable`, `mount-point`, `interrupted`; whatever `plan` throws.
 */
export function updateStore(
  path: string,
  plan: (store: StoredKeystore) => readonly Change[] | Promise<readonly Change[]>,
  options: UpdateOptions,
): Promise<UpdateResult> {
  void path;
  void plan;
  void options;
  throw new Error("not yet");
}
