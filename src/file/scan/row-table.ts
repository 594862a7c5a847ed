import { HEX, UPPER } from "./octet.js";
import { placeRow, renumberedSlots, type RowSlots, type TakenRows } from "./row-slots.js";

const DIGITS = 64;
const SMALLEST = 64;
/** Digests of real tokens meet a few others at most: a text that is made to meet more is declined. */
const MOST_PROBES = 512;

/**
 * The rows of a block by digest: for each where its digest stands in the text, and some flags. The
 * digests themselves stay in the text. A million rows take 18 MB.
 */
export class RowTable {
  readonly bytes: Uint8Array;
  count = 0;
  /** True once a row had too long a way to its place: such a table is not to be used. */
  crowded = false;
  #offsets: Uint32Array<ArrayBuffer>;
  #flags: Uint16Array<ArrayBuffer>;
  #hashes: Uint32Array<ArrayBuffer>;
  #slots: RowSlots;
  /** Where the row goes that was last looked for and not found. */
  #free = 0;
  /** Where rows were taken over from that have no places here yet. */
  #other: RowTable | undefined;
  #taken: TakenRows[] = [];

  /** @param expected - how many rows there will be, where it is known. */
  constructor(bytes: Uint8Array, expected = 0) {
    this.bytes = bytes;
    let size = SMALLEST;
    while (size < expected) size *= 2;
    this.#offsets = new Uint32Array(size);
    this.#flags = new Uint16Array(size);
    this.#hashes = new Uint32Array(size);
    this.#slots = new Uint32Array(size * 2);
  }

  /**
   * The number of the row whose digest is the one that stands at an offset; -1 where none is.
   *
   * @param hash - of that digest, as `RowKey` gives it.
   */
  rowOf(offset: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (slots[slot] ?? 0) - 1;
      if (row < 0) {
        this.#free = slot;
        return this.#other === undefined ? -1 : this.#takenRowOf(this.#other, offset, hash);
      }
      if (this.#hashes[row] === hash && this.#isSame(row, offset)) return row;
    }
  }

  /** Adds the row that {@link rowOf} did not find, with the same offset and hash. */
  add(offset: number, hash: number, flags: number): void {
    const row = this.count;
    if (row === this.#offsets.length) {
      this.#grow(row * 2);
      this.rowOf(offset, hash);
    }
    this.#offsets[row] = offset;
    this.#flags[row] = flags;
    this.#hashes[row] = hash;
    this.count = row + 1;
    this.#slots[this.#free] = row + 1;
    this.#note((this.#free - hash) & (this.#slots.length - 1));
  }

  /**
   * Adds rows of another table, always the same one, in their order. No digest is compared: they are
   * known to differ from each other and from all that are here.
   *
   * @param shift - what their offsets are greater by here.
   * @param clear - flags that are not taken over.
   */
  takeOver(other: RowTable, first: number, end: number, shift: number, clear: number): void {
    const now = this.count;
    const count = now + end - first;
    while (count > this.#offsets.length) this.#grow(this.#offsets.length * 2);
    const [offsets, flags] = [this.#offsets, this.#flags];
    const [otherOffsets, otherFlags] = [other.#offsets, other.#flags];
    this.#hashes.set(other.#hashes.subarray(first, end), now);
    for (let row = now, index = first; row < count; row += 1, index += 1) {
      offsets[row] = (otherOffsets[index] ?? 0) + shift;
      flags[row] = (otherFlags[index] ?? 0) & ~clear;
    }
    this.count = count;
    this.#other = other;
    this.#taken.push({ first, end, now });
  }

  /** Gives rows that were taken over their places, once all rows are there: then {@link find} works. */
  settle(): void {
    const [other, taken] = [this.#other, this.#taken];
    if (other === undefined) return;
    this.#other = undefined;
    this.#taken = [];
    const slots =
      other.#slots.length === this.#slots.length
        ? renumberedSlots(other.#slots, other.#hashes, other.count, taken)
        : undefined;
    this.#slots = slots ?? new Uint32Array(this.#slots.length);
    let row = 0;
    for (const { first, end, now } of slots === undefined ? [] : taken) {
      this.#place(row, now);
      row = now + end - first;
    }
    this.#place(row, this.count);
  }

  /** The first row, from one on, that has one flag of several; the given end where none has. */
  flagged(flags: number, first: number, end: number): number {
    let row = first;
    while (row < end && ((this.#flags[row] ?? 0) & flags) === 0) row += 1;
    return row;
  }

  /**
   * How many rows from `row` on stand as many octets from each other as those of another table from
   * `otherRow` on.
   */
  runLength(row: number, other: RowTable, otherRow: number): number {
    const most = Math.min(this.count - row, other.count - otherRow);
    const [offsets, others] = [this.#offsets, other.#offsets];
    const shift = (offsets[row] ?? 0) - (others[otherRow] ?? 0);
    let length = 0;
    while (length < most) {
      if ((offsets[row + length] ?? 0) - (others[otherRow + length] ?? 0) !== shift) break;
      length += 1;
    }
    return length;
  }

  /** The number of the row of a digest, 64 lowercase hex digits; -1 where there is none. */
  find(digest: string, hash: number = hashOf(digest)): number {
    if (digest.length !== DIGITS) return -1;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (slots[slot] ?? 0) - 1;
      if (row < 0 || (this.#hashes[row] === hash && this.#isDigest(row, digest))) return row;
    }
  }

  has(digest: string): boolean {
    return this.find(digest) >= 0;
  }

  /** Whether the digest of a row starts with digits, in lower case. */
  startsWith(row: number, digits: string): boolean {
    const from = this.offsetOf(row);
    for (let index = 0; index < digits.length; index += 1) {
      if (valueAt(this.bytes, from + index) !== HEX[digits.charCodeAt(index)]) return false;
    }
    return digits.length <= DIGITS;
  }

  /** The number of the first row whose digest stands behind an offset; the count where none does. */
  rowBehind(offset: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsetOf(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  offsetOf(row: number): number {
    return this.#offsets[row] ?? 0;
  }

  hashOf(row: number): number {
    return this.#hashes[row] ?? 0;
  }

  flagsOf(row: number): number {
    return this.#flags[row] ?? 0;
  }

  addFlags(row: number, flags: number): void {
    this.#flags[row] = this.flagsOf(row) | flags;
  }

  #grow(size: number): void {
    const [offsets, hashes] = [new Uint32Array(size), new Uint32Array(size)];
    const flags = new Uint16Array(size);
    offsets.set(this.#offsets);
    hashes.set(this.#hashes);
    flags.set(this.#flags);
    this.#offsets = offsets;
    this.#hashes = hashes;
    this.#flags = flags;
    this.#slots = new Uint32Array(size * 2);
    this.#place(0, this.count);
  }

  #place(first: number, end: number): void {
    const [slots, hashes] = [this.#slots, this.#hashes];
    let longest = 0;
    for (let row = first; row < end; row += 1) {
      const way = placeRow(slots, hashes[row] ?? 0, row);
      if (way > longest) longest = way;
    }
    this.#note(longest);
  }

  /** Takes note of how far from its hash's place a row is. */
  #note(way: number): void {
    if (way > MOST_PROBES) this.crowded = true;
  }

  /** The row that one of another table has become whose digest stands here at an offset. */
  #takenRowOf(other: RowTable, offset: number, hash: number): number {
    const digest = Buffer.from(this.bytes.subarray(offset, offset + DIGITS)).toString("latin1");
    const row = other.find(digest.toLowerCase(), hash);
    const run = this.#taken.find(({ first, end }) => row >= first && row < end);
    return run === undefined ? -1 : row - run.first + run.now;
  }

  #isSame(row: number, offset: number): boolean {
    const { bytes } = this;
    const from = this.offsetOf(row);
    for (let index = 0; index < DIGITS; index += 1) {
      if (valueAt(bytes, from + index) !== valueAt(bytes, offset + index)) return false;
    }
    return true;
  }

  #isDigest(row: number, digest: string): boolean {
    const { bytes } = this;
    const from = this.offsetOf(row);
    for (let index = 0; index < DIGITS; index += 1) {
      // An upper-case digit of the digest has a value of its own, and is never the same.
      if (valueAt(bytes, from + index) !== HEX[digest.charCodeAt(index)]) return false;
    }
    return true;
  }
}

/** The value of the hex digit at an offset, whatever its case. */
function valueAt(bytes: Uint8Array, offset: number): number {
  return (HEX[bytes[offset] ?? 0] ?? 0) & ~UPPER;
}

/** The hash of the digest at an offset, whatever its case: by its first and last four digits. */
export function hashAt(view: DataView, offset: number): number {
  return mix(view.getInt32(offset, true), view.getInt32(offset + DIGITS - 4, true));
}

/** The same hash of a digest in lower case. */
export function hashOf(digest: string): number {
  return mix(fourAt(digest, 0), fourAt(digest, DIGITS - 4));
}

/** Four characters as a number; such as can't be a digest's need not be told apart. */
function fourAt(digest: string, index: number): number {
  return (
    digest.charCodeAt(index) |
    (digest.charCodeAt(index + 1) << 8) |
    (digest.charCodeAt(index + 2) << 16) |
    (digest.charCodeAt(index + 3) << 24)
  );
}

function mix(head: number, tail: number): number {
  // Letters in lower case; digits are as they were.
  let mixed = Math.imul(head | 0x20202020, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) + Math.imul(tail | 0x20202020, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x27d4eb2f);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
