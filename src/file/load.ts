import { EMPTY_KEYSTORE, type Keystore } from "../core/keystore.js";
import type { Diagnostic, DiagnosticCode } from "./diagnostic.js";
import type { Policy } from "./policy.js";
import { readStore, type StoredKeystore } from "./store.js";
import { fileSignature } from "./watch.js";

/** A keystore file as a start finds it. */
export interface LoadedKeystore {
  readonly path: string;
  /** Errors and warnings, in file order. */
  readonly diagnostics: readonly Diagnostic[];
  /** What may be served; undefined where the start must refuse (exit 3). */
  readonly keystore: Keystore | undefined;
  /** The file's signature from before it was read, so that nothing later is missed. */
  readonly since: string;
}

/** What a start is allowed to serve. */
export interface LoadOptions {
  readonly policy: Policy;
  /** Serve an empty `api_keys: {}`: every request gets 401. Default false. */
  readonly allowEmpty?: boolean;
}

/**
 * Reads a keystore for a start, which fails closed: a file that is not wholly valid serves nobody
 * (KEYSTORE.md, 'Start, reload, and commands on a troubled file').
 *
 * @throws KeysError what `readStore` throws: `file-not-found`, `file-unreadable`, …
 */
export async function loadKeystore(path: string, options: LoadOptions): Promise<LoadedKeystore> {
  const since = await fileSignature(path);
  const store = await readStore(path, options.policy);
  const forgiven: DiagnosticCode[] = options.allowEmpty === true ? ["empty-keystore"] : [];
  const { diagnostics } = store;
  return { path, diagnostics, keystore: servable(store, forgiven), since };
}

/**
 * The keystore that a reload applies; undefined where it is refused and the last good one stays. An
 * emptied keystore is not an invalid one: it is applied, and nobody gets in.
 */
export function reloadedKeystore(store: StoredKeystore): Keystore | undefined {
  return servable(store, ["empty-keystore", "no-keys"]);
}

function servable(
  store: StoredKeystore,
  forgiven: readonly DiagnosticCode[],
): Keystore | undefined {
  const errors = store.diagnostics.filter(({ severity }) => severity === "error");
  if (!errors.every(({ code }) => forgiven.includes(code))) return undefined;
  // Where it is empty there may be nothing to read a keystore from.
  return errors.length > 0 ? (store.document.keystore ?? EMPTY_KEYSTORE) : store.document.keystore;
}
