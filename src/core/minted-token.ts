import { parseTokenFormat } from "./token.js";

/** What follows the prefix of a minted token: `_`, secret and checksum (CLI.md, 'Tokens'). */
const BODY = /_(?=[0-9A-Za-z]{49})/g;
const BODY_LENGTH = 50;
const PREFIX_LENGTH = 20;

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
