import type { KeptOctets } from "./known-rows.js";
import type { RowTable } from "./row-table.js";
import type { Scan } from "./scan.js";

/** Octets that are compared in one go. */
const STEP = 1 << 16;
/** How many places are looked for where the texts go on alike. */
const MOST_PLACES = 64;
/** How far a text is searched for the next row of the other, in octets. */
const WINDOW = 1 << 16;
/** How many rows of a block are looked for, one by one, before they are taken further apart. */
const ROWS_IN_TURN = 16;
const DIGITS = 64;

/**
 * What a text has in common with one that was scanned before. Where they differ, they go on alike
 * from the next row whose digest stands in both; and they may end alike.
 */
export function keptOctets(before: Scan, after: Buffer): readonly KeptOctets[] {
  const old = before.bytes;
  const kept: KeptOctets[] = [];
  let [at, now] = [0, 0];
  for (let place = 0; place < MOST_PLACES; place += 1) {
    const size = commonStart(old.subarray(at), after.subarray(now));
    if (size > 0) kept.push({ start: at, end: at + size, now });
    at += size;
    now += size;
    const next = nextPlace(before, at, after, now);
    if (next === undefined) break;
    ({ at, now } = next);
  }
  const size = commonEnd(old.subarray(at), after.subarray(now));
  if (size > 0) {
    kept.push({ start: old.length - size, end: old.length, now: after.length - size });
  }
  return kept;
}

/** Where both texts go on alike behind a place where they don't; undefined where none is found. */
function nextPlace(
  { bytes, blocks }: Scan,
  at: number,
  after: Buffer,
  now: number,
): { readonly at: number; readonly now: number } | undefined {
  const window = after.subarray(now, now + WINDOW);
  for (const { table } of [blocks.api_keys, blocks.retired_api_keys]) {
    for (const row of rowsFrom(table, at)) {
      const digestAt = table.offsetOf(row);
      const found = window.indexOf(bytes.subarray(digestAt, digestAt + DIGITS));
      if (found < 0) continue;
      const most = Math.min(digestAt - at, found);
      let same = 0;
      while (same < most && bytes[digestAt - same - 1] === window[found - same - 1]) same += 1;
      return { at: digestAt - same, now: now + found - same };
    }
  }
  return undefined;
}

/** Rows whose digests stand behind an offset: the next ones, then ever further apart. */
function* rowsFrom(table: RowTable, offset: number): Generator<number> {
  const first = table.rowBehind(offset);
  for (let away = 0; first + away < table.count; away += away < ROWS_IN_TURN ? 1 : away) {
    yield first + away;
  }
}

function commonStart(one: Buffer, other: Buffer): number {
  const most = Math.min(one.length, other.length);
  return extent(most, (from, to) => one.subarray(from, to).equals(other.subarray(from, to)));
}

function commonEnd(one: Buffer, other: Buffer): number {
  const part = (bytes: Buffer, from: number, to: number): Buffer =>
    bytes.subarray(bytes.length - to, bytes.length - from);
  const most = Math.min(one.length, other.length);
  return extent(most, (from, to) => part(one, from, to).equals(part(other, from, to)));
}

/** How far two texts are the same, where `isSame` compares a stretch of them. */
function extent(most: number, isSame: (from: number, to: number) => boolean): number {
  let same = 0;
  for (let step = STEP; step >= 1;) {
    const next = Math.min(same + step, most);
    if (next === same) return same;
    if (isSame(same, next)) same = next;
    else step >>= 1;
  }
  return same;
}
