import { isKeysError, KeysError } from "../errors.js";
import type { AuditOrigin, AuditPlace, AuditResult } from "./audit.js";
import { AuditJournal, type DocumentedChange } from "./audit-journal.js";
import type { Change } from "./change.js";
import type { KeystoreDocument } from "./document.js";
import { editKeystore } from "./edit-keystore.js";
import { editFile } from "./locked-edit.js";
import { prepareGeneration } from "./generation-slices.js";
import type { Policy } from "./policy.js";
import { MAX_FILE_BYTES, readSnapshot, resolveTarget, type Snapshot } from "./snapshot.js";
import { afterEdit, expectedOf, notFound, storedKeystore, type StoredKeystore } from "./store.js";

/** How {@link updateStore} goes about it. */
export interface UpdateOptions extends AuditPlace {
  readonly policy: Policy;
  /**
   * Who makes the change and by what: it is recorded in the audit log, the intent durable before
   * the file is replaced. Without it nothing is recorded.
   */
  readonly audit?: AuditOrigin | undefined;
  /**
   * Whether a change is made that can't be recorded: `withdrawal` only one that takes access away
   * (it retires or purges keys and does nothing else), `any` each. Default `withdrawal`.
   */
  readonly unrecorded?: "withdrawal" | "any" | undefined;
  /** Make a missing file (0600). Default false: `file-not-found`. */
  readonly create?: boolean;
  /** Work out everything and write nothing; takes no lock. Default false. */
  readonly dryRun?: boolean;
  /** How long to wait for a living holder of the lock, in milliseconds. Default 60,000. */
  readonly lockTimeoutMs?: number;
  /** Aborting it before the rename leaves the file as it was (`interrupted`). */
  readonly signal?: AbortSignal | undefined;
  /**
   * What was read of the file before, by whoever goes on living with it: only what has changed since
   * is read again. The result is the same without it.
   */
  readonly known?: KeystoreDocument | undefined;
}

/** What {@link updateStore} did. */
export interface UpdateResult {
  readonly before: StoredKeystore;
  /** The keystore as it stands now (or would, with `dryRun`). */
  readonly after: StoredKeystore;
  /** False where there was nothing to change, and with `dryRun`. */
  readonly written: boolean;
  /** What became of the record of the change; undefined where none was made or asked for. */
  readonly audit?: AuditResult | undefined;
}

/**
 * Changes a keystore file: under its lock, from the text as it stands, by one atomic write that is
 * durable when this resolves. `plan` says what to change from what the file holds; it is called
 * again where the file changes in between, and may throw to refuse. A missing file that `create`
 * allows is planned for as an empty one.
 *
 * @throws KeysError what `readStore` and `editKeystore` throw, and `lock-timeout`,
 *   `file-unwritable`, `mount-point`, `interrupted`; `audit-unwritable` where the change can't be
 *   recorded and would give access; whatever `plan` throws.
 */
export async function updateStore(
  path: string,
  plan: (store: StoredKeystore) => readonly Change[] | Promise<readonly Change[]>,
  options: UpdateOptions,
): Promise<UpdateResult> {
  const { policy, create = false, dryRun = false, lockTimeoutMs, signal, known } = options;
  const progress: { isPlanned: boolean; change?: DocumentedChange } = { isPlanned: false };
  async function edit(snapshot: Snapshot | undefined): Promise<EditedStore> {
    progress.isPlanned = true;
    if (snapshot === undefined && !create) throw notFound(path);
    const before = storedKeystore(path, snapshot, policy, known);
    const changes = await plan(before);
    const document = editKeystore(before.document, changes, policy);
    if (options.audit !== undefined && !dryRun && document !== before.document) {
      // The record names both generations; whoever serves requests has them worked out bit by bit.
      await prepareGeneration(before.document.keystore);
      await prepareGeneration(document.keystore);
    }
    const isWithdrawal = options.unrecorded === "any" || changes.every(takesAccessAway);
    progress.change = { before: before.document, after: document, isWithdrawal };
    const isChanged = document !== before.document;
    if (isChanged && document.bytes.length > MAX_FILE_BYTES) {
      throw new KeysError("file-unwritable", `${path} would grow over 256 MiB`, {
        hint: "purge retired keys with `keys revoke --purge`",
      });
    }
    const after = isChanged ? afterEdit(before, snapshot, document) : before;
    return { before, after, bytes: isChanged ? document.bytes : undefined };
  }
  if (dryRun) {
    const snapshot = await readTarget(path, create);
    return { ...(await edit(snapshot)), written: false };
  }
  if (!create) await requirePresent(path);
  const journal = options.audit === undefined ? undefined : journalOf(options.audit);
  function journalOf(origin: AuditOrigin): AuditJournal {
    const { auditFile, now } = options;
    return new AuditJournal({
      origin,
      change: currentChange,
      auditFile,
      now,
      signal,
      lockTimeoutMs,
    });
  }
  function currentChange(): DocumentedChange {
    if (progress.change === undefined) throw new Error("a change is recorded before it is planned");
    return progress.change;
  }
  try {
    const { result, written } = await editFile(path, edit, {
      timeoutMs: lockTimeoutMs,
      signal,
      journal,
      expected: expectedOf(known),
    });
    const { before, after } = result;
    return { before, after, written, ...(written ? { audit: journal?.result } : {}) };
  } catch (error) {
    // A directory that can't be written takes no lock; where nothing is to change, none is needed.
    // Once there was a plan there was a lock: then it was the write that failed.
    if (progress.isPlanned || !isKeysError(error, "file-unwritable")) throw error;
    const unlocked = await editUnlocked(error, edit, () => readTarget(path, create));
    return { ...unlocked, written: false };
  }
}

/** What an edit comes to without writing; where it would write, the error that keeps it from it. */
async function editUnlocked(
  error: KeysError,
  edit: (snapshot: Snapshot | undefined) => Promise<EditedStore>,
  read: () => Promise<Snapshot | undefined>,
): Promise<EditedStore> {
  const snapshot = await read();
  if (snapshot === undefined) throw error;
  const edited = await edit(snapshot).catch((): undefined => undefined);
  if (edited === undefined || edited.bytes !== undefined) throw error;
  return edited;
}

function takesAccessAway({ kind }: Change): boolean {
  return kind === "retire" || kind === "purge";
}

interface EditedStore {
  readonly before: StoredKeystore;
  readonly after: StoredKeystore;
  readonly bytes: Uint8Array | undefined;
}

/** Nobody waits for a lock, or leaves one, beside a file that is not there. */
async function requirePresent(path: string): Promise<void> {
  if ((await readTarget(path, false)) === undefined) throw notFound(path);
}

async function readTarget(path: string, create: boolean): Promise<Snapshot | undefined> {
  try {
    return await readSnapshot(await resolveTarget(path));
  } catch (error) {
    // A missing directory: a file can't be made there either.
    if (!create && isKeysError(error, "file-not-found")) throw notFound(path);
    throw error;
  }
}
