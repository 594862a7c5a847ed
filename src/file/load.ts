import { EMPTY_KEYSTORE, type Keystore } from "../core/keystore.js";
import type { Diagnostic, DiagnosticCode } from "./diagnostic.js";
import type { KeystoreDocument } from "./document.js";
import { KeystoreInvalidError } from "./keystore-invalid.js";
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
  /** What the keystore was read from. */
  readonly document: KeystoreDocument;
}

/** What a start is allowed to serve. */
export interface LoadOptions {
  readonly policy: Policy;
  /** Serve an empty `api_keys: {}`: every request gets 401. Default false. */
  readonly allowEmpty?: boolean;
  /** Serve a file without any keys: for a server that lets requests without a credential pass. */
  readonly allowKeyless?: boolean;
}

/**
 * Reads a keystore for a start, which fails closed: a file that is not wholly valid serves nobody
 * (KEYSTORE.md, 'Start, reload, and commands on a troubled file').
 *
 * @throws KeysError what `readStore` throws: `file-not-found`, `file-unreadable`, …
 */
export async function loadForStart(path: string, options: LoadOptions): Promise<LoadedKeystore> {
  const since = await fileSignature(path);
  const store = await readStore(path, options.policy);
  const forgiven: DiagnosticCode[] = [];
  if (options.allowEmpty === true) forgiven.push("empty-keystore");
  if (options.allowKeyless === true) forgiven.push("no-keys");
  const { diagnostics, document } = store;
  return { path, diagnostics, keystore: servable(store, forgiven), since, document };
}

/** How {@link loadKeystore} judges a file. */
export interface LoadKeystoreOptions {
  /** Take an empty `api_keys: {}`, by which nobody gets in. Default false. */
  readonly allowEmpty?: boolean;
  /** What is demanded beyond being valid. Default nothing; `nowMs` is the present. */
  readonly policy?: Partial<Policy>;
  /** Told of each warning, in file order. */
  readonly onWarning?: (warning: Diagnostic) => void;
}

/**
 * Reads a keystore for a peer, which fails closed as a server's start does: either the file is
 * wholly valid, or there is no keystore.
 *
 * @throws KeystoreInvalidError (`keystore-invalid`) with every diagnostic, where the file is not
 *   wholly valid or holds no live key.
 * @throws KeysError what `readStore` throws: `file-not-found`, `file-unreadable`, …
 */
export async function loadKeystore(
  path: string,
  options: LoadKeystoreOptions = {},
): Promise<Keystore> {
  return (await loadForPeer(path, options)).keystore;
}

/** {@link loadKeystore} for who goes on to watch the file. */
export async function loadForPeer(
  path: string,
  options: LoadKeystoreOptions,
): Promise<LoadedKeystore & { readonly keystore: Keystore }> {
  const { allowEmpty = false, policy, onWarning } = options;
  const loaded = await loadForStart(path, {
    policy: { nowMs: Date.now(), ...policy },
    allowEmpty,
  });
  const { keystore, diagnostics } = loaded;
  if (keystore === undefined) throw new KeystoreInvalidError(diagnostics);
  if (onWarning !== undefined) {
    diagnostics.filter(({ severity }) => severity === "warning").forEach(onWarning);
  }
  return { ...loaded, keystore };
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
