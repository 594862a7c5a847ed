import { isKnownWeakDigest, knownWeakDigests } from "../../core/weak.js";
import type { ScalarNode } from "../syntax.js";
import { DECLINED, DOUBLE_QUOTE, HEX, LF, NO_HEX, SINGLE_QUOTE } from "./octet.js";
import { hashAt } from "./row-table.js";
import type { Scalars } from "./scalars.js";

const DIGITS = 64;
/** Digits by which a digest is taken for one that may be known. */
const START = 4;
/** Longest digest with its quotes. */
const WHOLE = DIGITS + 2;

/** Reads the digests that rows start with. */
export class RowKey {
  /** Where the digest stands, without its quotes. */
  digestAt = 0;
  hash = 0;
  /** Whether it is in quotes and in lower case, and nothing else is to be said about it. */
  isClean = false;
  readonly #scalars: Scalars;

  constructor(scalars: Scalars) {
    this.#scalars = scalars;
  }

  /** Reads a digest; the result is the offset behind its colon, or {@link DECLINED}. */
  read(offset: number): number {
    const { bytes, size } = this.#scalars;
    if (offset + WHOLE > size) return DECLINED;
    const first = bytes[offset] ?? 0;
    const isQuoted = first === DOUBLE_QUOTE || first === SINGLE_QUOTE;
    const from = isQuoted ? offset + 1 : offset;
    const end = from + DIGITS;
    const isLower = isLowerHex(this.#scalars.view, from);
    if ((!isLower && !isHex(bytes, from)) || (isQuoted && bytes[end] !== first)) return DECLINED;
    const colon = isQuoted ? end + 1 : end;
    this.digestAt = from;
    this.hash = hashAt(this.#scalars.view, from);
    this.isClean = isQuoted && isLower && !isWeakAt(bytes, from);
    return this.#scalars.isColon(colon) ? colon + 1 : DECLINED;
  }

  /** The digest just read, as it stands there. */
  node(): ScalarNode {
    const from = this.digestAt;
    const quote = from > 0 ? this.#scalars.at(from - 1) : LF;
    const isQuoted = quote === DOUBLE_QUOTE || quote === SINGLE_QUOTE;
    return {
      kind: "scalar",
      style: quote === DOUBLE_QUOTE ? "double" : isQuoted ? "single" : "plain",
      text: this.#scalars.bytes.toString("latin1", from, from + DIGITS),
      start: isQuoted ? from - 1 : from,
      end: isQuoted ? from + DIGITS + 1 : from + DIGITS,
      tagged: false,
      anchored: false,
    };
  }
}

/** Whether 64 lowercase hex digits stand at an offset: four octets at a time, each by its top bit. */
export function isLowerHex(view: DataView, from: number): boolean {
  let wrong = 0;
  for (let at = from; at < from + DIGITS; at += 4) {
    const four = view.getInt32(at, true);
    const isDigit = (four + 0x50505050) & ~(four + 0x46464646);
    const isLetter = (four + 0x1f1f1f1f) & ~(four + 0x19191919);
    // An octet over 0x7f spoils the sums of its neighbours, and is wrong itself.
    wrong |= ~(isDigit | isLetter) | four;
  }
  return (wrong & 0x80808080) === 0;
}

function isHex(bytes: Uint8Array, from: number): boolean {
  let all = 0;
  for (let at = from; at < from + DIGITS; at += 1) all |= HEX[bytes[at] ?? LF] ?? NO_HEX;
  return (all & NO_HEX) === 0;
}

/** 1 for the first four digits, as a number, of every digest that everybody knows. */
let weakStarts: Uint8Array | undefined;

/** Whether the digest at an offset is one that everybody knows. */
export function isWeakAt(bytes: Uint8Array, from: number): boolean {
  weakStarts ??= startsOfWeak();
  let start = 0;
  for (let at = from; at < from + START; at += 1)
    start = (start << 4) | (HEX[bytes[at] ?? LF] ?? 0);
  if (weakStarts[start] !== 1) return false;
  return isKnownWeakDigest(Buffer.from(bytes.subarray(from, from + DIGITS)).toString("latin1"));
}

function startsOfWeak(): Uint8Array {
  const starts = new Uint8Array(1 << (4 * START));
  for (const digest of knownWeakDigests()) starts[Number.parseInt(digest.slice(0, START), 16)] = 1;
  for (let digit = 0; digit < 16; digit += 1) starts[digit * 0x1111] = 1;
  return starts;
}
