import { bufferOf } from "./octets.js";
import { KeysError } from "../errors.js";
import { DIAGNOSTICS, type Diagnostic, type DiagnosticCode } from "./diagnostic.js";
import { parseKeystore, tooLargeDocument, type KeystoreDocument } from "./document.js";
import type { Policy } from "./policy.js";
import { rawKeyStands } from "./root-text.js";
import { readSnapshot, resolveTarget, type Snapshot } from "./snapshot.js";

/** A keystore file as it was read. */
export interface StoredKeystore {
  /** The path as it was named. */
  readonly path: string;
  /** Whether the file is there; one that is not reads as an empty text. */
  readonly exists: boolean;
  /** Diagnostics of the file itself (permissions, owner) and of its text, in file order. */
  readonly diagnostics: readonly Diagnostic[];
  readonly document: KeystoreDocument;
}

const NOTHING: Uint8Array = new Uint8Array();
const OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o044;

/**
 * Reads a keystore file. What is wrong inside it is in `diagnostics`.
 *
 * @param known - what was read of it before: only what has changed since is read again.
 * @throws KeysError `file-not-found`, `file-is-directory`, `file-unreadable`, `file-changing`.
 */
export async function readStore(
  path: string,
  policy: Policy,
  known?: KeystoreDocument,
): Promise<StoredKeystore> {
  const snapshot = await readSnapshot(await resolveTarget(path), expectedOf(known));
  if (snapshot === undefined) throw notFound(path);
  return storedKeystore(path, snapshot, policy, known);
}

/** What a version of a file holds; an empty text for one that is not there. */
export function storedKeystore(
  path: string,
  snapshot: Snapshot | undefined,
  policy: Policy,
  known?: KeystoreDocument,
): StoredKeystore {
  if (snapshot?.tooLarge === true) {
    const document = tooLargeDocument();
    return { path, exists: true, diagnostics: document.diagnostics, document };
  }
  const document = parseKeystore(snapshot?.bytes ?? NOTHING, policy, known);
  return {
    path,
    exists: snapshot !== undefined,
    diagnostics: [...fileDiagnostics(snapshot, document), ...document.diagnostics],
    document,
  };
}

/** The keystore of a file whose text was edited. */
export function afterEdit(
  before: StoredKeystore,
  snapshot: Snapshot | undefined,
  document: KeystoreDocument,
): StoredKeystore {
  const diagnostics = [...fileDiagnostics(snapshot, document), ...document.diagnostics];
  return { path: before.path, exists: true, diagnostics, document };
}

/** What mode and owner of the file say: what git can't keep, so never an error. */
function fileDiagnostics(
  snapshot: Snapshot | undefined,
  { pairs }: KeystoreDocument,
): Diagnostic[] {
  if (snapshot === undefined) return [];
  const forbidden = rawKeyStands(pairs) ? OTHERS_WRITE | OTHERS_READ : OTHERS_WRITE;
  const found: Diagnostic[] = [];
  if ((snapshot.mode & forbidden) !== 0) found.push(wholeFile("file-permissions"));
  const user = process.geteuid?.();
  if (user !== undefined && user !== snapshot.uid) found.push(wholeFile("owner-mismatch"));
  return found;
}

function wholeFile(code: DiagnosticCode): Diagnostic {
  const { severity, message, hint } = DIAGNOSTICS[code];
  return { severity, code, path: [], line: 1, column: 1, message, hint };
}

/** The octets that a file holds unless it has changed. */
export function expectedOf(known: KeystoreDocument | undefined): Buffer | undefined {
  return known === undefined ? undefined : bufferOf(known.bytes);
}

/** The error for a keystore that is not there. */
export function notFound(path: string): KeysError {
  return new KeysError("file-not-found", `there is no keystore at ${path}`, {
    hint: "make one with `keys create --id NAME`, or name it with --file or KEYS_FILE",
  });
}
