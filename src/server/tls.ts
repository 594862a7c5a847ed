import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import { isKeysError, KeysError, systemCode } from "../errors.js";
import { ignore } from "../file/file-failure.js";
import { fileSignature } from "../file/watch.js";

/** Where a certificate and its key are: PEM files. */
export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

/** A certificate chain and its private key, which belong together: PEM. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The pair that files hold now, and how they looked before they were read. */
export interface LoadedTls {
  readonly pair: TlsPair;
  readonly since: string;
}

/** The oldest protocol that is spoken (RFC 9325 §3.1.1). */
export const OLDEST_TLS = "TLSv1.2";

/** How often the files are looked at, in milliseconds. */
const POLL_MS = 250;
/** How long both must have stood still before they are read, in milliseconds. */
const SETTLE_MS = 200;

/**
 * Reads a certificate and its key, and sees that they belong together.
 *
 * @throws KeysError `tls-invalid`
 */
export async function loadTls(files: TlsFiles): Promise<LoadedTls> {
  const since = await signatureOf(files);
  const cert = await read(files.certPath, "certificate");
  const key = await read(files.keyPath, "key");
  try {
    new X509Certificate(cert);
  } catch (error) {
    throw invalid(`${files.certPath} holds no certificate`, error);
  }
  try {
    createSecureContext({ cert, key, minVersion: OLDEST_TLS });
  } catch (error) {
    // OpenSSL's own sentence may quote a file; its code does not.
    const mismatch = systemCode(error) === "ERR_OSSL_X509_KEY_VALUES_MISMATCH";
    const why = mismatch ? "is not the key of the certificate" : "holds no key that can be used";
    throw invalid(`${files.keyPath} ${why}`, error);
  }
  return { pair: { cert, key }, since };
}

/** What a look at changed files came to. */
export type TlsChange = { readonly pair: TlsPair } | { readonly error: KeysError };

/**
 * Follows the two files however they are replaced, by polling, as the keystore is followed. A pair
 * that does not fit is told once; both are looked at again when either changes.
 *
 * @returns ends it.
 */
export function watchTls(
  files: TlsFiles,
  since: string,
  onChange: (change: TlsChange) => void,
): () => void {
  const stop = new AbortController();
  let seen = since;

  // In a function, since it changes while a look waits.
  const isStopped = (): boolean => stop.signal.aborted;

  async function look(): Promise<void> {
    let signature = await signatureOf(files);
    while (signature !== seen && !isStopped()) {
      await delay(SETTLE_MS, undefined, { ref: false });
      const settled = await signatureOf(files);
      if (settled === signature) {
        const change = await loadTls(files).catch((error: unknown) => ({ error: faultOf(error) }));
        signature = await signatureOf(files);
        if (signature !== settled || isStopped()) continue;
        seen = signature;
        onChange(change);
      }
      signature = settled;
    }
  }

  async function poll(): Promise<void> {
    while (!isStopped()) {
      await delay(POLL_MS, undefined, { ref: false });
      // What a listener throws is its own to tell; the files are followed all the same.
      await look().catch(ignore);
    }
  }

  void poll();
  return () => {
    stop.abort();
  };
}

function faultOf(error: unknown): KeysError {
  return isKeysError(error) ? error : invalid("certificate and key could not be read", error);
}

async function signatureOf({ certPath, keyPath }: TlsFiles): Promise<string> {
  return `${await fileSignature(certPath)} ${await fileSignature(keyPath)}`;
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw invalid(`the ${what} ${path} can't be read`, error);
  }
}

function invalid(message: string, cause: unknown): KeysError {
  return new KeysError("tls-invalid", message, {
    hint: "a certificate chain and its private key as PEM, the key without a passphrase",
    cause,
  });
}
