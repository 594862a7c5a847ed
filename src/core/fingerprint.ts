/** Hex digits of a digest that make its fingerprint (KEYSTORE.md, 'Fields of an entry'). */
const FINGERPRINT_LENGTH = 12;

const DIGEST = /^[0-9a-f]{64}$/;

/** Whether a text is a digest in the form that is written: 64 lowercase hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** The first 12 hex digits of a digest: the name of a key in commands, logs and output. */
export function fingerprintOf(digest: string): string {
  return digest.slice(0, FINGERPRINT_LENGTH);
}
