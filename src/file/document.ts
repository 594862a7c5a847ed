import { bufferOf } from "./octets.js";
import type { Keystore } from "../core/keystore.js";
import { diagnose } from "./diagnose.js";
import { DIAGNOSTICS, type Diagnostic, type DiagnosticCode } from "./diagnostic.js";
import type { Layout } from "./layout.js";
import type { LineChange } from "./line-change.js";
import type { Policy } from "./policy.js";
import type { SyntaxNode } from "./syntax.js";
import { keptOctets } from "./scan/kept-octets.js";
import { KnownRows } from "./scan/known-rows.js";
import { scan, type Scan } from "./scan/scan.js";
import { ScannedDocument } from "./scanned-document.js";
import { decodeText, encodeText } from "./text.js";

/** The text of a keystore file, read. */
export interface KeystoreDocument {
  readonly text: string;
  /** The text's octets. */
  readonly bytes: Uint8Array;
  /** Everything that is wrong, in file order. */
  readonly diagnostics: readonly Diagnostic[];
  /** The keys, faulty ones marked; undefined where the text is no mapping that can be read. */
  readonly keystore: Keystore | undefined;
  /** SHA-256 of every key of a block that is no digest: tokens put in the wrong place. */
  readonly misplaced: ReadonlySet<string>;
  /** Where things stand, for edits; undefined with `keystore`. */
  readonly layout: Layout | undefined;
  readonly root: SyntaxNode | undefined;
  /**
   * The root settings that are read here, undefined with `keystore`. The rows of a block need not be
   * in its value: `layout` has them.
   */
  readonly pairs: Layout["pairs"] | undefined;
  /** Of a document that an edit made: the lines that changed. */
  readonly changes?: readonly LineChange[];
  /** Of a document that an edit made, where known: the digests whose rows may have changed. */
  readonly touched?: ReadonlySet<string>;
}

/**
 * Reads a keystore's octets. Never throws: what is wrong is in `diagnostics`.
 *
 * @param known - an earlier document of the same file, or of any: what the octets have in common
 *   with it is not read again. The result is the same without it.
 */
export function parseKeystore(
  bytes: Uint8Array,
  policy: Policy,
  known?: KeystoreDocument,
): KeystoreDocument {
  const scanned =
    known instanceof ScannedDocument ? scanAgain(bytes, policy, known.scan) : scan(bytes, policy);
  return scanned === undefined ? composeKeystore(bytes, policy) : new ScannedDocument(scanned);
}

function scanAgain(bytes: Uint8Array, policy: Policy, before: Scan): Scan | undefined {
  const now = bufferOf(bytes);
  if (!isOne(now, before.bytes) && !now.equals(before.bytes)) {
    return scan(bytes, policy, new KnownRows(before, keptOctets(before, now)));
  }
  const rows = new KnownRows(before, [{ start: 0, end: now.length, now: 0 }]);
  // Nothing was to be said, and nothing is.
  return rows.isSilentFor(policy) ? { ...before, policy } : scan(bytes, policy, rows);
}

/** Whether two views are of the same memory. */
function isOne(one: Buffer, other: Buffer): boolean {
  const isPlaceOne = one.buffer === other.buffer && one.byteOffset === other.byteOffset;
  return isPlaceOne && one.length === other.length;
}

/** {@link parseKeystore} of a text that is decoded already. */
export function parseKeystoreText(
  text: string,
  policy: Policy,
  known?: KeystoreDocument,
): KeystoreDocument {
  return parseKeystore(encodeText(text), policy, known);
}

/** Reads octets by way of a tree of the whole text: slow, and made for any YAML there is. */
export function composeKeystore(bytes: Uint8Array, policy: Policy): KeystoreDocument {
  const decoded = decodeText(bytes);
  if (typeof decoded !== "string") return unreadable("not-utf8", decoded);
  const diagnosis = diagnose(decoded, policy);
  return { text: decoded, bytes, pairs: diagnosis.layout?.pairs, ...diagnosis };
}

/** The document of a file that is too large to be read. */
export function tooLargeDocument(): KeystoreDocument {
  return unreadable("file-too-large", { line: 1, column: 1 });
}

function unreadable(
  code: DiagnosticCode,
  { line, column }: { line: number; column: number },
): KeystoreDocument {
  const { severity, message, hint } = DIAGNOSTICS[code];
  return {
    text: "",
    bytes: new Uint8Array(),
    pairs: undefined,
    diagnostics: [{ severity, code, path: [], line, column, message, hint }],
    keystore: undefined,
    misplaced: new Set(),
    layout: undefined,
    root: undefined,
  };
}
