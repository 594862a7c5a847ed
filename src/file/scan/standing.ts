import { DOUBLE_QUOTE, SINGLE_QUOTE, SPACE } from "./octet.js";

/** Whether a text stands at an offset. */
export function stands(bytes: Uint8Array, offset: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[offset + index] !== text[index]) return false;
  }
  return true;
}

export function isQuote(octet: number | undefined): boolean {
  return octet === DOUBLE_QUOTE || octet === SINGLE_QUOTE;
}

/** Behind the spaces that stand at an offset, of which no more than `most` are passed over. */
export function behindSpaces(bytes: Uint8Array, offset: number, most: number): number {
  const last = offset + most;
  let at = offset;
  while (at < last && bytes[at] === SPACE) at += 1;
  return at;
}
