import { formatBase62 } from "./base62.js";
import { crc32 } from "./crc32.js";

/** Prefix of a token where none is asked for. */
export const DEFAULT_PREFIX = "key";

/** Random octets in a token. */
export const SECRET_BYTES = 32;

/** Longest prefix, in characters. */
const PREFIX_LENGTH = 20;
const SECRET_DIGITS = 43;
const CHECKSUM_DIGITS = 6;

const PREFIX = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const SHAPE = /^([a-z][a-z0-9]*(?:_[a-z0-9]+)*)_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/** What a text says of itself: its prefix and whether its checksum holds. */
export interface TokenFormat {
  /** The prefix, or null where the text has not the shape of a minted token. */
  readonly prefix: string | null;
  /** `ok` and `bad` for a text of that shape, `none` for any other. */
  readonly checksum: "ok" | "bad" | "none";
}

/** Whether a text may be a token's prefix: `[a-z][a-z0-9]*(_[a-z0-9]+)*`, at most 20 characters. */
export function isPrefix(text: string): boolean {
  return text.length <= PREFIX_LENGTH && PREFIX.test(text);
}

/**
 * The token of a prefix and 32 random octets: `<prefix>_<secret><checksum>` (CLI.md, 'Tokens').
 *
 * @throws RangeError where the prefix is no prefix or there are not 32 octets: a caller's mistake.
 */
export function formatToken(prefix: string, secret: Uint8Array): string {
  if (!isPrefix(prefix)) throw new RangeError("not a token prefix");
  if (secret.length !== SECRET_BYTES) throw new RangeError("a token's secret is 32 octets");
  const number = BigInt("0x" + Buffer.from(secret).toString("hex"));
  const body = `${prefix}_${formatBase62(number, SECRET_DIGITS)}`;
  return body + checksumOf(body);
}

/** Reads the shape and the checksum of a text, without looking it up anywhere. */
export function parseTokenFormat(text: string): TokenFormat {
  const match = SHAPE.exec(text);
  const prefix = match?.[1];
  if (match === null || prefix === undefined || prefix.length > PREFIX_LENGTH) {
    return { prefix: null, checksum: "none" };
  }
  const body = text.slice(0, -CHECKSUM_DIGITS);
  return { prefix, checksum: checksumOf(body) === match[3] ? "ok" : "bad" };
}

/** Whether a text may be a token given on stdin: octets 0x21–0x7E only, not empty. */
export function isTokenText(text: string): boolean {
  return VISIBLE_ASCII.test(text);
}

function checksumOf(body: string): string {
  return formatBase62(BigInt(crc32(body)), CHECKSUM_DIGITS);
}
