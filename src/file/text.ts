import { bufferOf } from "./octets.js";
import { isUtf8 } from "node:buffer";
import { TextDecoder } from "node:util";
import { PositionFinder, type Position } from "./position.js";

/**
 * Octets as text. A byte-order mark stays, as U+FEFF, so that encoding the text gives the octets
 * back.
 *
 * @returns where the first octet stands that is no UTF-8, where there is one.
 */
export function decodeText(bytes: Uint8Array): string | Position {
  if (isUtf8(bytes)) return bufferOf(bytes).toString();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let [low, high] = [0, bytes.length];
  // The longest prefix that could go on to be UTF-8.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    try {
      decoder.decode(bytes.subarray(0, middle), { stream: true });
      low = middle;
    } catch {
      high = middle - 1;
    }
    resetDecoder(decoder);
  }
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, low));
  // At most the beginning of one character is cut off at the end.
  const end = text.endsWith("\ufffd") ? text.length - 1 : text.length;
  return new PositionFinder(text).find(end);
}

/** Octets of a text that {@link decodeText} made. */
export function encodeText(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

function resetDecoder(decoder: TextDecoder): void {
  try {
    decoder.decode();
  } catch {
    // A prefix that ended in the middle of a character: the decoder is fresh all the same.
  }
}
