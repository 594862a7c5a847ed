import type { Keystore } from "../core/keystore.js";
import type { Change } from "./change.js";
import type { Diagnostic } from "./diagnostic.js";

/** What is demanded of a file beyond being valid (`keys validate`, `KEYS_PEERS`). */
export interface Policy {
  /** Milliseconds since 1970: ages and expiries are judged at this instant. */
  readonly nowMs: number;
  readonly requireExpiry?: boolean;
  readonly requireScopes?: boolean;
  /** Oldest allowed age of a live key, in milliseconds. */
  readonly maxAgeMs?: number | undefined;
  /** True where peers read nothing but ids (`--peers id-only`). */
  readonly idOnlyPeers?: boolean;
}

/** The text of a keystore file, read. */
export interface KeystoreDocument {
  readonly text: string;
  /** Everything that is wrong, in file order. */
  readonly diagnostics: readonly Diagnostic[];
  /** The keys, faulty ones marked; undefined where the text can't be read without doubt. */
  readonly keystore: Keystore | undefined;
}

/** Reads a keystore's text, as UTF-8 octets. Never throws: what is wrong is in `diagnostics`. */
export function parseKeystore(bytes: Uint8Array, policy: Policy): KeystoreDocument {
  void bytes;
  void policy;
  throw new Error("not yet");
}

/** The new text after changes. */
export interface EditResult {
  readonly text: string;
  readonly document: KeystoreDocument;
}

/**
 * Carries out changes as splices of the text. The result is read again and compared with what was
 * meant; every byte outside the edit stays.
 *
 * @throws KeysError `key-not-found`, `digest-exists`, `edit-mismatch`, `keystore-invalid`.
 */
export function editKeystore(
  document: KeystoreDocument,
  changes: readonly Change[],
  policy: Policy,
): EditResult {
  void document;
  void changes;
  void policy;
  throw new Error("not yet");
}
