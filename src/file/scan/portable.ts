import { isUtf8 } from "node:buffer";
import { DECLINED } from "./octet.js";
import type { Scalars } from "./scalars.js";

const BYTE_ORDER_MARK = Buffer.from("\ufeff");
const START_OF_DOCUMENT = Buffer.from("---");
// U+0080–9F, U+2028 and U+2029, U+FEFF, U+FFFE and U+FFFF, in UTF-8 read octet by octet.
const NOT_PORTABLE = /\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]/;

/**
 * Where a text's document starts: behind a byte-order mark, or behind the comments and the `---`
 * before it. {@link DECLINED} where that is not understood.
 */
export function documentStart(scalars: Scalars): number {
  const { bytes } = scalars;
  if (startsWithMark(bytes)) return BYTE_ORDER_MARK.length;
  const content = scalars.contentLine(0);
  if (content === DECLINED || scalars.indent !== 0) return 0;
  const behind = content + START_OF_DOCUMENT.length;
  const isStart = bytes.subarray(content, behind).equals(START_OF_DOCUMENT);
  return isStart ? scalars.lineEnd(behind) : 0;
}

/** Whether a text that was read to its end is UTF-8 without characters that readers differ in. */
export function isPortable({ bytes, everWide }: Scalars): boolean {
  if (!everWide) return true;
  const text = bytes.subarray(startsWithMark(bytes) ? BYTE_ORDER_MARK.length : 0);
  return isUtf8(text) && !NOT_PORTABLE.test(text.toString("latin1"));
}

function startsWithMark(bytes: Buffer): boolean {
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
}
