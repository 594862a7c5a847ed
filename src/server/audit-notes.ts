import { appendAudit } from "../file/audit-note.js";
import type { AuditNote } from "../file/audit.js";
import { KeysError } from "../errors.js";

/** Most notes that wait for a write; beyond that they are refused, and with them what they note. */
const MOST_WAITING = 1000;

/** How long a note waits for another writer of the log, in milliseconds. */
const NOTE_TIMEOUT_MS = 5000;

/** Where notes go. */
export interface AuditNotesOptions {
  /** The keystore's file. */
  readonly path: string;
  /** Default beside the keystore. */
  readonly auditFile: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How notes are written; default `appendAudit`. */
  readonly append?: typeof appendAudit;
}

/** Resolves when the note stands durably in the log. @throws KeysError where it can't. */
export type NoteAudit = (note: AuditNote) => Promise<void>;

/**
 * Notes in the audit log of a server. What comes while a write is under way goes out together with
 * the next, since each takes a lock and waits for the disk.
 */
export function createAuditNotes(options: AuditNotesOptions): NoteAudit {
  const { path, auditFile, now, append = appendAudit } = options;
  let waiting: AuditNote[] = [];
  let next: Promise<void> | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function writeNext(): Promise<void> {
    // Whatever became of the one before, its own notes were told.
    await writing.catch(() => undefined);
    const notes = waiting;
    waiting = [];
    next = undefined;
    writing = append(path, notes, { auditFile, now, lockTimeoutMs: NOTE_TIMEOUT_MS });
    await writing;
  }

  return (note) => {
    if (waiting.length >= MOST_WAITING) {
      return Promise.reject(
        new KeysError("audit-unwritable", "too many notes wait for the audit log"),
      );
    }
    waiting.push(note);
    next ??= writeNext();
    return next;
  };
}
