import { isDigest } from "../core/digest.js";
import { parseTokenFormat } from "../core/token.js";

const TOKEN_LIKE = /^[A-Za-z0-9_.~+/=-]{20,}$/;

/** What follows the prefix of a minted token: `_`, secret and checksum (CLI.md, 'Tokens'). */
const BODY = /_(?=[0-9A-Za-z]{49})/g;
const BODY_LENGTH = 50;
const PREFIX_LENGTH = 20;

/** Whether a text might be a token: then it is never shown, whatever it was given as. */
export function looksLikeToken(text: string): boolean {
  if (isDigest(text.toLowerCase())) return false;
  return TOKEN_LIKE.test(text) || holdsMintedToken(text);
}

/**
 * Whether an argument most likely is a token: then whoever typed it should know what that means.
 * Stricter than {@link looksLikeToken}: a path or a long option is none.
 */
export function isLikelyToken(argument: string): boolean {
  return argument
    .split("=")
    .some((part) => looksLikeToken(part) && /^[A-Za-z0-9][^/]*$/.test(part) && /\d/.test(part));
}

/**
 * Whether a minted token stands in a text, its checksum right, whatever stands before and behind it:
 * then it is one, and nothing that holds it may be written or shown.
 */
export function holdsMintedToken(text: string): boolean {
  for (const { index } of text.matchAll(BODY)) {
    const end = index + BODY_LENGTH;
    for (let start = Math.max(0, index - PREFIX_LENGTH); start < index; start += 1) {
      if (parseTokenFormat(text.slice(start, end)).checksum === "ok") return true;
    }
  }
  return false;
}
