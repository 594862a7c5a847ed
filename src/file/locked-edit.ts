import { KeysError } from "../errors.js";
import { removeStaleTemps, writeAtomic } from "./atomic.js";
import { isSame, readSnapshot, resolveTarget } from "./snapshot.js";
import type { Snapshot } from "./snapshot.js";
import { acquireLock } from "./lock.js";
import type { LockOptions } from "./lock.js";

/** What an edit gives back: the new content, or none where nothing is to be written. */
export interface EditOutcome {
  readonly bytes?: Uint8Array | undefined;
}

/** A replacement of a file that is about to be made. */
export interface JournalEntry {
  readonly realPath: string;
  /** The version that is replaced; undefined for a new file. */
  readonly snapshot: Snapshot | undefined;
  readonly bytes: Uint8Array;
}

/** Is told of each replacement before it is made, and what came of it. */
export interface Journal {
  /** All is ready for the rename; throwing prevents it. {@link conclude} follows in any case. */
  intend(entry: JournalEntry): Promise<void>;
  /** What came of it: `isDone` false also where that is in doubt. Never rejects. */
  conclude(realPath: string, isDone: boolean): Promise<void>;
}

/** For {@link editFile}. Its `signal` holds up to the rename; after that the edit completes. */
export interface EditOptions extends LockOptions {
  journal?: Journal | undefined;
  /** What the file holds unless it has changed: then it takes no memory again. */
  expected?: Buffer | undefined;
}

/** What came of an edit. */
export interface EditResult<T> {
  /** What the edit gave back, the last time it was made. */
  readonly result: T;
  /** Whether the file was replaced. If so, it is durable. */
  readonly written: boolean;
  /** The path with every link followed. */
  readonly realPath: string;
}

const MAX_ATTEMPTS = 20;

/**
 * Changes a file without ever losing another's work: locks it, reads it, has `edit` make the new
 * content from what was read (undefined: there is no such file), and replaces the file as a whole,
 * if it still is what was read and the lock still ours. If not (somebody edited it by hand), all is
 * done anew: so `edit` may be called several times and must do nothing but compute.
 * Resolves when the new content is durable; rejects with nothing changed, no lock and no temporary
 * file left.
 * Errors: `file-changing` (it changed under twenty attempts); `interrupted` (by `signal`);
 * `lock-timeout`; `file-is-directory`, `file-not-found` (its directory), `file-unreadable`,
 * `file-unwritable`, `mount-point`; and whatever `edit` throws.
 */
export async function editFile<T extends EditOutcome | undefined>(
  path: string,
  edit: (snapshot: Snapshot | undefined) => T | Promise<T>,
  options: EditOptions = {},
): Promise<EditResult<T>> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const edited = await editOnce(path, edit, options);
    if (edited !== undefined) return edited;
  }
  throw new KeysError("file-changing", `${path} changed each time it was about to be replaced`, {
    hint: "find out what else writes it, then try again",
  });
}

/** Undefined when the file, the lock or the link to the file changed meanwhile. */
async function editOnce<T extends EditOutcome | undefined>(
  path: string,
  edit: (snapshot: Snapshot | undefined) => T | Promise<T>,
  options: EditOptions,
): Promise<EditResult<T> | undefined> {
  const { signal, journal, expected } = options;
  const realPath = await resolveTarget(path);
  const outdated = new KeysError("file-changing", `${path} has changed`);
  const lock = await acquireLock(realPath, options);
  try {
    // A link may have been turned while we waited: then ours is the lock of another file.
    if ((await resolveTarget(path)) !== realPath) return undefined;
    await removeStaleTemps(realPath);
    const snapshot = await readSnapshot(realPath, expected);
    const result = await edit(snapshot);
    requireUninterrupted(signal);
    if (result?.bytes === undefined) return { result, written: false, realPath };
    const { bytes } = result;
    const requireCurrent = async (): Promise<void> => {
      const isUnchanged =
        (await resolveTarget(path)) === realPath && (await isSame(realPath, snapshot));
      if (!isUnchanged || !(await lock.isHeld())) throw outdated;
      requireUninterrupted(signal);
    };
    const progress = { isIntended: false, isDone: false };
    const beforeRename = async (): Promise<void> => {
      await requireCurrent();
      if (journal === undefined) return;
      progress.isIntended = true;
      await journal.intend({ realPath, snapshot, bytes });
      // The journal takes its time.
      await requireCurrent();
    };
    try {
      await writeAtomic(realPath, bytes, { snapshot, beforeRename });
      progress.isDone = true;
    } finally {
      if (progress.isIntended) await journal?.conclude(realPath, progress.isDone);
    }
    return { result, written: true, realPath };
  } catch (error) {
    if (error === outdated) return undefined;
    throw error;
  } finally {
    await lock.release();
  }
}

function requireUninterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new KeysError("interrupted", "interrupted; nothing was changed");
  }
}
