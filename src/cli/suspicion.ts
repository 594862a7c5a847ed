import { isDigest } from "../core/fingerprint.js";
import { holdsMintedToken } from "../core/minted-token.js";

const TOKEN_LIKE = /^[A-Za-z0-9_.~+/=-]{20,}$/;

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
