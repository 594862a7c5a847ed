import type { Keystore } from "../core/keystore.js";
import { KeysError } from "../errors.js";
import type { Change } from "./change.js";
import { diagnose } from "./diagnose.js";
import { DIAGNOSTICS, type Diagnostic, type DiagnosticCode } from "./diagnostic.js";
import { carryOut } from "./edit.js";
import { expectedModel } from "./expected-model.js";
import { KeystoreInvalidError } from "./keystore-invalid.js";
import { blockOf, hidesRows, type Layout } from "./layout.js";
import type { LineChange } from "./line-change.js";
import { modelOf } from "./model.js";
import { planChanges } from "./plan.js";
import type { Policy } from "./policy.js";
import type { SyntaxNode } from "./syntax.js";
import { scan } from "./scan/scan.js";
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
}

/** Codes that leave it in doubt what the file says, to one reader or another. */
const DOUBTFUL: ReadonlySet<DiagnosticCode> = new Set(["line-break-not-portable"]);

/** Reads a keystore's octets. Never throws: what is wrong is in `diagnostics`. */
export function parseKeystore(bytes: Uint8Array, policy: Policy): KeystoreDocument {
  const scanned = scan(bytes, policy);
  return scanned === undefined ? composeKeystore(bytes, policy) : new ScannedDocument(scanned);
}

/** {@link parseKeystore} of a text that is decoded already. */
export function parseKeystoreText(text: string, policy: Policy): KeystoreDocument {
  return parseKeystore(encodeText(text), policy);
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

/**
 * Carries out changes as splices of the text. The result is read again and compared with what was
 * meant, and everything outside the edit stays byte for byte.
 *
 * @returns the new text, read under `policy`; the given document where there is nothing to do.
 * @throws KeysError `key-not-found`, `digest-exists`; `keystore-invalid` where the text leaves in
 *   doubt what is meant; `edit-mismatch` where the edit does not fit the way the file is written.
 */
export function editKeystore(
  document: KeystoreDocument,
  changes: readonly Change[],
  policy: Policy,
): KeystoreDocument {
  const { text, layout, root, keystore } = document;
  if (layout === undefined || root === undefined || keystore === undefined) {
    throw new KeystoreInvalidError(document.diagnostics);
  }
  refuseDoubt(document, layout, changes);
  const plan = planChanges(layout, keystore, changes);
  const { text: edited, changes: lines } = carryOut(text, layout, root, plan);
  if (edited === text) return document;
  const result = parseKeystoreText(edited, policy);
  const meant = expectedModel(modelOf(text, layout), plan);
  const said = result.layout === undefined ? undefined : modelOf(edited, result.layout);
  if (JSON.stringify(said) !== JSON.stringify(meant)) {
    throw new KeysError("edit-mismatch", "the edit does not fit the way this file is written", {
      hint: "write the blocks of keys as in docs/keystore-format.md; nothing was written",
    });
  }
  return result instanceof ScannedDocument
    ? new ScannedDocument(result.scan, lines)
    : { ...result, changes: lines };
}

function refuseDoubt(document: KeystoreDocument, layout: Layout, changes: readonly Change[]): void {
  const meant = new Set(changes.map((change) => ("digest" in change ? change.digest : "")));
  const doubtful =
    layout.repeats.length > 0 ||
    layout.hidden.length > 0 ||
    (["api_keys", "retired_api_keys"] as const).some((name) =>
      hidesRows(blockOf(layout.pairs.get(name))),
    ) ||
    [...layout.live, ...layout.retired].some((row) => row.repeated && meant.has(row.digest)) ||
    document.diagnostics.some(({ code }) => DOUBTFUL.has(code));
  if (!doubtful) return;
  throw new KeystoreInvalidError(
    document.diagnostics,
    "the file leaves in doubt which entry is meant",
    "mend what `keys validate` lists first; nothing was written",
  );
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
