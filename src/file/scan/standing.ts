import { DOUBLE_QUOTE, SINGLE_QUOTE } from "./octet.js";

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
