import { hash } from "node:crypto";

export { fingerprintOf, isDigest } from "./fingerprint.js";

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
