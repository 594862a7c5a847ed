/**
 * The audit log: who changed a keystore, what, and when, as a chain of lines each of which carries
 * the hash of the one before (issue: the audit of every change).
 *
 * Whoever appends holds the lock of the log from its first line to its last, so that the lines of
 * one change stand together. A change is announced by an intent, synced before the file is renamed,
 * and closed by an outcome. An intent that is the last line of a log that nobody has locked is
 * dangling: its writer died. The next writer settles it, from what the keystore says by then.
 */
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { digestOf } from "../core/digest.js";
import { isKeysError, KeysError, systemCode } from "../errors.js";
import { fileFailure, ignore, ignoreUnsyncable } from "./file-failure.js";
import { readSnapshot } from "./snapshot.js";
import type { AuditPlace } from "./audit.js";
import {
  formatAuditLine,
  hashOfLine,
  MAX_LINE_BYTES,
  type AuditContent,
  type AuditOutcome,
  type AuditState,
  type IntentLine,
} from "./audit-line.js";
import { readAuditTail, type AuditTail } from "./audit-tail.js";
import { open, realpath, type FileHandle } from "./disk.js";
import { acquireLock, type Lock, type LockOptions } from "./lock.js";

/** Whose a new log is: the keystore's, where root makes it. */
export interface AuditOwner {
  readonly uid: number;
  readonly gid: number;
}

/** For {@link openAuditLog}. */
export interface OpenAuditOptions extends LockOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The keystore's real path: what a dangling intent is settled from. */
  readonly keystore: string;
  readonly owner?: AuditOwner | undefined;
}

/** A log that is locked, its end read and mended. */
export interface AuditLog {
  /** Appends lines, by one write; they are durable when this resolves. */
  append(contents: readonly AuditContent[]): Promise<void>;
  /** Gives the lock up. Never rejects. */
  close(): Promise<void>;
}

const OTHERS = 0o007;

/** Where the log of a keystore is: `auditFile`, else beside the keystore's real path. */
export async function auditPath(realPath: string, { auditFile }: AuditPlace): Promise<string> {
  if (auditFile === undefined) return `${realPath}.audit.jsonl`;
  // Links in front of the name are followed, so that one log has one lock.
  const directory = await realpath(dirname(auditFile)).catch((error: unknown) => {
    throw unwritable(error, auditFile);
  });
  return join(directory, basename(auditFile));
}

/**
 * Locks a log and opens it, a missing one is made (0600); ends a torn line, and settles a dangling
 * intent.
 *
 * @throws KeysError `audit-unwritable`; `lock-timeout`, `interrupted`
 */
export async function openAuditLog(path: string, options: OpenAuditOptions): Promise<AuditLog> {
  const lock = await acquireLock(path, options).catch((error: unknown) => {
    throw isKeysError(error, "lock-timeout", "interrupted") ? error : unwritable(error, path);
  });
  let file: FileHandle | undefined;
  try {
    file = await openFile(path, options.owner);
    const tail = await readAuditTail(file, (await file.stat()).size);
    if (tail === undefined) {
      throw new KeysError("audit-unwritable", `the end of the audit log ${path} is no such log`, {
        hint: "move it away: the next change begins another",
      });
    }
    const log = new OpenLog(path, lock, file, tail);
    await log.mend(options);
    return log;
  } catch (error) {
    await file?.close().catch(ignore);
    await lock.release();
    throw isKeysError(error) ? error : unwritable(error, path);
  }
}

/** What a keystore file says of a change that was to lead from one content to another. */
export async function outcomeOf(
  realPath: string,
  { before, after }: Pick<IntentLine, "before" | "after">,
): Promise<AuditOutcome> {
  try {
    const snapshot = await readSnapshot(realPath);
    const now = snapshot === undefined ? null : contentHash(snapshot.bytes);
    if (now === after.sha256) return "done";
    return now === before.sha256 ? "not-done" : "unclear";
  } catch {
    return "unclear";
  }
}

/** {@link AuditState.sha256} of a content. */
export function contentHash(bytes: Uint8Array | undefined): AuditState["sha256"] {
  return bytes === undefined ? null : digestOf(bytes);
}

class OpenLog implements AuditLog {
  readonly #path: string;
  readonly #lock: Lock;
  readonly #file: FileHandle;
  readonly #tail: AuditTail;
  #prev: string;
  /** What has to stand before the next line: the end of one that lacks it. */
  #lead: string;
  /** After a write that failed nobody knows how much of it is there: the next writer looks. */
  #isSpoilt = false;

  constructor(path: string, lock: Lock, file: FileHandle, tail: AuditTail) {
    this.#path = path;
    this.#lock = lock;
    this.#file = file;
    this.#tail = tail;
    this.#prev = tail.prev;
    this.#lead = tail.isOpen ? "\n" : "";
  }

  async append(contents: readonly AuditContent[]): Promise<void> {
    let text = this.#lead;
    let prev = this.#prev;
    for (const content of contents) {
      const line = formatAuditLine(content, prev);
      if (Buffer.byteLength(line) > MAX_LINE_BYTES) {
        throw new KeysError("audit-unwritable", "a line of the audit log would be over 1 MiB");
      }
      text += `${line}\n`;
      prev = hashOfLine(line);
    }
    try {
      if (this.#isSpoilt || !(await this.#lock.isHeld())) throw lostLock(this.#path);
      await this.#file.writeFile(text);
      await this.#file.sync();
    } catch (error) {
      this.#isSpoilt = true;
      throw unwritable(error, this.#path);
    }
    this.#lead = "";
    this.#prev = prev;
  }

  async mend({ now, keystore }: OpenAuditOptions): Promise<void> {
    const { last, chain, tornOctets } = this.#tail;
    const ts = timeText(now());
    let settles: { readonly change: string; readonly outcome: AuditOutcome } | undefined;
    if (last?.kind === "intent") {
      // Beside its keystore a log may have been moved, or be seen under another path.
      const realPath = this.#path === `${keystore}.audit.jsonl` ? keystore : last.file;
      settles = { change: last.change, outcome: await outcomeOf(realPath, last) };
    }
    if (tornOctets !== undefined) {
      await this.append([{ kind: "torn", ts, octets: tornOctets, chain, settles }]);
    } else if (settles !== undefined) {
      await this.append([{ kind: "settled", ts, ...settles }]);
    }
  }

  async close(): Promise<void> {
    await this.#file.close().catch(ignore);
    await this.#lock.release();
  }
}

/** An instant as lines hold it. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

async function openFile(path: string, owner: AuditOwner | undefined): Promise<FileHandle> {
  const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
  const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  const file = await open(path, flags).catch(async (error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return await makeFile(path, flags | O_CREAT | O_EXCL, owner);
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      throw new KeysError("audit-unwritable", `the audit log ${path} is not a regular file`);
    }
    if ((stats.mode & OTHERS) !== 0) await file.chmod(stats.mode & 0o7770);
    return file;
  } catch (error) {
    await file.close().catch(ignore);
    throw error;
  }
}

async function makeFile(
  path: string,
  flags: number,
  owner: AuditOwner | undefined,
): Promise<FileHandle> {
  const file = await open(path, flags, 0o600);
  try {
    const { uid, gid } = await file.stat();
    // Made by root for a keystore of another, who must be able to go on with it.
    if (owner !== undefined && (owner.uid !== uid || owner.gid !== gid)) {
      await file.chown(owner.uid, owner.gid).catch(ignore);
    }
    const directory = await open(dirname(path), constants.O_RDONLY);
    try {
      await directory.sync().catch(ignoreUnsyncable);
    } finally {
      await directory.close();
    }
    return file;
  } catch (error) {
    await file.close().catch(ignore);
    throw error;
  }
}

function lostLock(path: string): KeysError {
  return new KeysError("audit-unwritable", `the audit log ${path} is not ours any more`, {
    hint: "try again",
  });
}

function unwritable(error: unknown, path: string): unknown {
  if (isKeysError(error, "audit-unwritable")) return error;
  if (systemCode(error) === "ELOOP") {
    return new KeysError("audit-unwritable", `the audit log ${path} is a symbolic link`, {
      hint: "name the file itself with KEYS_AUDIT_FILE",
      cause: error,
    });
  }
  const failure = fileFailure(error, "file-unwritable", `cannot write the audit log ${path}`);
  if (!isKeysError(failure)) return error;
  return new KeysError("audit-unwritable", failure.message, {
    hint: "make it writable, or name another with KEYS_AUDIT_FILE (`keys serve --audit-file`)",
    cause: error,
  });
}
