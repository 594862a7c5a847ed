import { lineChanges, type LineChange } from "../line-change.js";
import { inOrder, type Splice } from "../splice.js";
import type { BlockEntries } from "./block-entries.js";
import type { KeptOctets } from "./known-rows.js";
import type { Scan } from "./scan.js";

/** A part of a text that its skeleton keeps. */
interface Segment {
  readonly start: number;
  readonly end: number;
  /** Where it stands in the skeleton's text, in UTF-16 units. */
  readonly textStart: number;
  readonly textEnd: number;
}

/** What splices made of a text. */
export interface SplicedOctets {
  readonly bytes: Buffer;
  readonly kept: readonly KeptOctets[];
}

/** One replacement in octets. */
interface ByteSplice {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/**
 * A text without most of the rows that an edit leaves alone, so that an edit of a million keys is
 * one of a few: everything around the rows is kept; of the rows those that are meant, the first and
 * the last of each block, and one by which its form is known. An edit of the skeleton is an edit of
 * the text by {@link Skeleton.apply}.
 */
export class Skeleton {
  readonly bytes: Buffer;
  readonly #whole: Buffer;
  readonly #text: string;
  readonly #segments: readonly Segment[];

  constructor(scan: Scan, digests: ReadonlySet<string>) {
    const { bytes, blocks } = scan;
    this.#whole = bytes;
    const cuts = [blocks.api_keys, blocks.retired_api_keys]
      .flatMap((block) => cutsOf(block, digests))
      .sort((a, b) => a.start - b.start);
    const segments: Segment[] = [];
    const texts: string[] = [];
    let [at, textAt] = [0, 0];
    for (const { start, end } of [...cuts, { start: bytes.length, end: bytes.length }]) {
      const text = bytes.toString("utf8", at, start);
      segments.push({ start: at, end: start, textStart: textAt, textEnd: textAt + text.length });
      texts.push(text);
      textAt += text.length;
      at = end;
    }
    this.bytes = Buffer.concat(segments.map(({ start, end }) => bytes.subarray(start, end)));
    this.#text = texts.join("");
    this.#segments = segments;
  }

  /**
   * Carries out on the whole text what was worked out for the skeleton.
   *
   * @param splices - of the skeleton's text with an ending for its last line.
   * @returns the octets, and those among them that were kept; undefined where a splice can't be
   *   placed.
   */
  apply(splices: readonly Splice[]): SplicedOctets | undefined {
    const placed: ByteSplice[] = [];
    for (const splice of splices) {
      const parts = this.#place(splice);
      if (parts === undefined) return undefined;
      placed.push(...parts);
    }
    const whole = this.#whole;
    const ending = finalEnding(whole);
    const parts: Uint8Array[] = [];
    const kept: KeptOctets[] = [];
    let [at, now] = [0, 0];
    const end = { start: whole.length + ending.length, end: 0, bytes: NOTHING };
    for (const splice of [...inOrder(placed), end]) {
      if (splice.start < at) return undefined;
      parts.push(slice(whole, ending, at, splice.start), splice.bytes);
      kept.push({ start: at, end: Math.min(splice.start, whole.length), now });
      now += splice.start - at + splice.bytes.length;
      at = splice.end;
    }
    const bytes = Buffer.concat(parts);
    return { bytes: ending.length === 0 ? bytes : withoutEnding(bytes), kept };
  }

  /** The lines of the whole text that splices of the skeleton change. */
  lineChanges(splices: readonly Splice[]): readonly LineChange[] {
    const whole = this.#whole;
    const text = whole.toString() + finalEnding(whole).toString();
    const placed = splices.flatMap((splice) => this.#place(splice) ?? []);
    return lineChanges(
      text,
      placed.map(({ start, end, bytes }) => ({
        start: unitsOf(whole, start),
        end: unitsOf(whole, end),
        text: Buffer.from(bytes).toString(),
      })),
    );
  }

  /** Where a splice of the skeleton stands in the whole, in as many parts as it meets cuts. */
  #place({ start, end, text }: Splice): ByteSplice[] | undefined {
    if (start === end) {
      // What is added at a cut belongs to what stands before it.
      const at = this.#offset(this.#segmentEndingAt(start), start);
      return [{ start: at, end: at, bytes: Buffer.from(text) }];
    }
    const parts: ByteSplice[] = [];
    for (let index = this.#segmentAt(start); index < this.#segments.length; index += 1) {
      const segment = this.#segments[index];
      if (segment === undefined || segment.textStart >= end) break;
      const from = this.#offset(index, Math.max(start, segment.textStart));
      const isLast = index === this.#segments.length - 1;
      const to = this.#offset(index, isLast ? end : Math.min(end, segment.textEnd));
      parts.push({ start: from, end: to, bytes: Buffer.from(parts.length === 0 ? text : "") });
    }
    return parts.length === 1 || text === "" ? parts : undefined;
  }

  /** The number of the segment that an offset of the text stands in, the later one at a cut. */
  #segmentAt(offset: number): number {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.textStart ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #segmentEndingAt(offset: number): number {
    const index = this.#segmentAt(offset);
    return index > 0 && this.#segments[index]?.textStart === offset ? index - 1 : index;
  }

  #offset(index: number, offset: number): number {
    const segment = this.#segments[index];
    if (segment === undefined) return 0;
    const { start, end, textStart, textEnd } = segment;
    // The ending that the last line is given for the time being is of as many octets.
    if (offset > textEnd) return end + offset - textEnd;
    if (end - start === textEnd - textStart) return start + offset - textStart;
    return start + Buffer.byteLength(this.#text.slice(textStart, offset));
  }
}

/** What the skeleton leaves out of a block: whole lines, in order. */
function cutsOf(
  block: BlockEntries,
  digests: ReadonlySet<string>,
): { readonly start: number; readonly end: number }[] {
  const { count } = block.table;
  if (count === 0) return [];
  const meant = new Set([...digests].map((digest) => block.table.find(digest)));
  const kept = new Set([0, count - 1, ...[...meant].filter((row) => row >= 0)]);
  const rows = Array.from({ length: Math.min(count, meant.size + 1) }, (_, row) => row);
  const bystander = rows.find((row) => !meant.has(row));
  if (bystander !== undefined) kept.add(bystander);
  let formed = 0;
  while (formed < count - 1 && block.isInBraces(formed)) formed += 1;
  kept.add(formed);
  const ordered = [...kept].sort((a, b) => a - b);
  return ordered.flatMap((row, index) => {
    const next = ordered[index + 1] ?? row + 1;
    if (next === row + 1) return [];
    return [{ start: block.lineStart(row + 1), end: block.lineStart(next) }];
  });
}

const NOTHING = Buffer.alloc(0);
const LINE_FEED = Buffer.from("\n");
const RETURN_AND_LINE_FEED = Buffer.from("\r\n");
const BYTE_ORDER_MARK = Buffer.from("\ufeff");
const LF = 0x0a;
const CR = 0x0d;

/** The ending that the last line is given for the time being, as `carryOut` does. */
function finalEnding(bytes: Buffer): Buffer {
  if (bytes.length === 0 || bytes[bytes.length - 1] === LF) return NOTHING;
  if (bytes.equals(BYTE_ORDER_MARK)) return NOTHING;
  const last = bytes.lastIndexOf(LF);
  return last > 0 && bytes[last - 1] === CR ? RETURN_AND_LINE_FEED : LINE_FEED;
}

/** Octets of a text that an ending was added to. */
function slice(whole: Buffer, ending: Buffer, start: number, end: number): Uint8Array {
  const size = whole.length;
  if (end <= size) return whole.subarray(start, end);
  const tail = ending.subarray(Math.max(0, start - size), end - size);
  return start >= size ? tail : Buffer.concat([whole.subarray(start), tail]);
}

/** An offset in octets as one in UTF-16 units; the ending added to the last line is of single ones. */
function unitsOf(whole: Buffer, offset: number): number {
  return whole.toString("utf8", 0, offset).length + Math.max(0, offset - whole.length);
}

function withoutEnding(bytes: Buffer): Buffer {
  let end = bytes.length;
  if (bytes[end - 1] !== LF) return bytes;
  end -= 1;
  if (bytes[end - 1] === CR) end -= 1;
  return bytes.subarray(0, end);
}
