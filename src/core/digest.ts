import { hash } from "node:crypto";

/** Hex digits of a digest that make its fingerprint (KEYSTORE.md, 'Fields of an entry'). */
const FINGERPRINT_LENGTH = 12;

const DIGEST = /^[0-9a-f]{64}$/;

/**
 * SHA-256 of a token as 64 lowercase hex digits.
 *
 * @param token - octets, or text that is hashed as its UTF-8.
 */
export function digestOf(token: string | Uint8Array): string {
  return hash("sha256", token, "hex");
}

/**
 * SHA-256 of a token as Node gives header values: one character an octet (latin1). Equal to
 * {@link digestOf} for ASCII.
 */
export function digestOfHeader(token: string): string {
  return hash("sha256", Buffer.from(token, "latin1"), "hex");
}

/** Whether a text is a digest in the form that is written: 64 lowercase hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** The first 12 hex digits of a digest: the name of a key in commands, logs and output. */
export function fingerprintOf(digest: string): string {
  return digest.slice(0, FINGERPRINT_LENGTH);
}
