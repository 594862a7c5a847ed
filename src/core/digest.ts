import { hash } from "node:crypto";

export { fingerprintOf, isDigest } from "./fingerprint.js";

// eslint-disable-next-line no-control-regex -- U+0000–7F is what ASCII is
const NOT_ASCII = /[^\u0000-\u007f]/;

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
  // Of a text Node hashes the UTF-8, without an object for its octets: nearly every token is ASCII.
  return hash("sha256", NOT_ASCII.test(token) ? Buffer.from(token, "latin1") : token, "hex");
}
