import type { Change } from "./change.js";
import { editComposed } from "./composed-edit.js";
import { parseKeystoreText, type KeystoreDocument } from "./document.js";
import type { Policy } from "./policy.js";
import { editScanned } from "./scanned-edit.js";
import { ScannedDocument } from "./scanned-document.js";

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
  if (document instanceof ScannedDocument) {
    const edited = editScanned(document, changes, policy);
    if (edited !== undefined) return edited;
  }
  const composed = editComposed(document, changes, policy, parseKeystoreText);
  if (composed === undefined) return document;
  const { document: result, edit } = composed;
  return result instanceof ScannedDocument
    ? new ScannedDocument(result.scan, { changes: () => edit.changes })
    : { ...result, changes: edit.changes };
}
