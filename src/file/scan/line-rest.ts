import { HASH, LF, SPACE, TAB } from "./octet.js";
import { behindSpaces } from "./standing.js";

/** Longest comment that is passed over here, and most spaces. */
const LONGEST_COMMENT = 200;
const MOST_SPACES = 64;

/**
 * Where a line ends whose value ends at an offset: there, or behind a few spaces and a short comment
 * in ASCII; -1 where anything else stands there.
 */
export function restOfLine(bytes: Uint8Array, offset: number): number {
  if (bytes[offset] === LF) return offset;
  const comment = behindSpaces(bytes, offset, MOST_SPACES);
  return comment > offset && bytes[comment] === HASH ? commentEnd(bytes, comment) : -1;
}

/** Where the line of the next content starts, behind empty lines and such comments. */
export function nextContentLine(bytes: Uint8Array, offset: number): number {
  let line = offset;
  for (;;) {
    const content = behindSpaces(bytes, line, MOST_SPACES);
    const octet = bytes[content];
    if (octet !== LF && octet !== HASH) return line;
    const end = octet === LF ? content : commentEnd(bytes, content);
    if (end < 0) return line;
    line = end + 1;
  }
}

/** Where the line of a comment ends whose `#` stands at an offset; -1 where it is not as above. */
function commentEnd(bytes: Uint8Array, offset: number): number {
  const last = offset + LONGEST_COMMENT;
  let end = offset;
  while (end < last && isPrintable(bytes[end] ?? 0)) end += 1;
  return bytes[end] === LF ? end : -1;
}

function isPrintable(octet: number): boolean {
  return (octet >= SPACE && octet < 0x7f) || octet === TAB;
}
