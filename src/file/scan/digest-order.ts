import { HEX, UPPER } from "./octet.js";
import type { RowTable } from "./row-table.js";

const DIGITS = 64;
/** Digits of a digest that are compared as one number. */
const LEADING = 8;
/** Most bits of that number by which rows are put into boxes before they are compared. */
const BOXED_BITS = 20;

/** Places a row is moved by on average before its like are taken for made, and sorted otherwise. */
const MOST_MOVES = 32;

/** Rows that are looked at in one step. */
const STEP = 1 << 15;

/** Works out the numbers of a table's rows in the order of their digests, step by step. */
export function* inDigestOrder(table: RowTable): Generator<undefined, Uint32Array> {
  const { bytes, count } = table;
  const shift = 32 - Math.min(BOXED_BITS, 32 - Math.clz32(count | 1));
  const leads = new Uint32Array(count);
  const next = new Uint32Array((1 << (32 - shift)) + 1);
  for (let row = 0; row < count; row += 1) {
    if (row % STEP === 0) yield;
    const lead = leadOf(bytes, table.offsetOf(row));
    leads[row] = lead;
    const box = (lead >>> shift) + 1;
    next[box] = (next[box] ?? 0) + 1;
  }
  for (let box = 1; box < next.length; box += 1) {
    next[box] = (next[box] ?? 0) + (next[box - 1] ?? 0);
  }
  const rows = new Uint32Array(count);
  const ordered = new Uint32Array(count);
  for (let row = 0; row < count; row += 1) {
    if (row % STEP === 0) yield;
    const lead = leads[row] ?? 0;
    const box = lead >>> shift;
    const place = next[box] ?? 0;
    next[box] = place + 1;
    rows[place] = row;
    ordered[place] = lead;
  }
  // What is left to be moved is moved by a few places, where digests are those of tokens.
  let moves = 0;
  for (let index = 1; index < count; index += 1) {
    if (index % STEP === 0) yield;
    if (moves > MOST_MOVES * count) return rows.sort(byDigest(table));
    const [lead, row] = [ordered[index] ?? 0, rows[index] ?? 0];
    let place = index;
    while (place > 0) {
      const other = ordered[place - 1] ?? 0;
      if (other < lead) break;
      const otherRow = rows[place - 1] ?? 0;
      if (other === lead && compare(bytes, table.offsetOf(otherRow), table.offsetOf(row)) <= 0)
        break;
      ordered[place] = other;
      rows[place] = otherRow;
      place -= 1;
      moves += 1;
    }
    ordered[place] = lead;
    rows[place] = row;
  }
  return rows;
}

function byDigest(table: RowTable): (a: number, b: number) => number {
  return (a, b) => compare(table.bytes, table.offsetOf(a), table.offsetOf(b));
}

function leadOf(bytes: Uint8Array, offset: number): number {
  let lead = 0;
  for (let at = offset; at < offset + LEADING; at += 1) lead = (lead << 4) | valueAt(bytes, at);
  return lead >>> 0;
}

function compare(bytes: Uint8Array, a: number, b: number): number {
  for (let index = 0; index < DIGITS; index += 1) {
    const difference = valueAt(bytes, a + index) - valueAt(bytes, b + index);
    if (difference !== 0) return difference;
  }
  return 0;
}

function valueAt(bytes: Uint8Array, offset: number): number {
  return (HEX[bytes[offset] ?? 0] ?? 0) & ~UPPER;
}
