import type { Entry } from "../core/entry.js";
import type { BlockName } from "./diagnose-row.js";
import type { KeystoreDocument } from "./document.js";
import { rootText } from "./root-text.js";
import type { BlockEntries } from "./scan/block-entries.js";
import type { Scan } from "./scan/scan.js";

const BLOCKS: readonly BlockName[] = ["api_keys", "retired_api_keys"];
const RAW_SETTINGS = ["api_key", "admin_api_key", "admin_api_key_sha256"] as const;

/**
 * Whether an edited text says what was meant: every row that was to be left alone stands there as it
 * did, octet by octet and in its order; those that were touched are as in the edited skeleton; and
 * the settings around them are as many, those read here with the same values.
 *
 * @param touched - the digests that were meant.
 * @param meant - the skeleton's document, edited.
 */
export function isAsMeant(
  before: Scan,
  after: Scan,
  touched: ReadonlySet<string>,
  meant: KeystoreDocument,
): boolean {
  const { keystore, layout, pairs } = meant;
  if (keystore === undefined || layout === undefined) return false;
  return (
    BLOCKS.every((name) => areLeftAlone(before, after, name, touched)) &&
    areInOrder(keystore.live(), after.blocks.api_keys, touched) &&
    areInOrder(keystore.retired(), after.blocks.retired_api_keys, touched) &&
    after.settings.length === (layout.root?.pairs.length ?? 0) &&
    after.keystore.adminDigest === keystore.adminDigest &&
    RAW_SETTINGS.every((name) => rootText(after.pairs, name) === rootText(pairs, name))
  );
}

/** Whether the rows of other digests are the same, in the same order. */
function areLeftAlone(
  before: Scan,
  after: Scan,
  name: BlockName,
  touched: ReadonlySet<string>,
): boolean {
  const [old, now] = [before.blocks[name], after.blocks[name]];
  const [oldTouched, nowTouched] = [touchedRows(old, touched), touchedRows(now, touched)];
  let [row, nowRow] = [0, 0];
  for (;;) {
    row = passOver(oldTouched, row);
    nowRow = passOver(nowTouched, nowRow);
    const isEnd = row >= old.table.count;
    if (isEnd || nowRow >= now.table.count) return isEnd && nowRow >= now.table.count;
    // Rows that stand side by side as before are compared in one go, up to where the last one starts.
    const length = Math.min(
      old.table.runLength(row, now.table, nowRow),
      nextOf(oldTouched, row) - row,
      nextOf(nowTouched, nowRow) - nowRow,
    );
    const last = row + length - 1;
    const [from, to] = [old.table.offsetOf(row), old.table.offsetOf(last)];
    const nowFrom = now.table.offsetOf(nowRow);
    const source = before.bytes.subarray(from, to);
    if (!source.equals(after.bytes.subarray(nowFrom, nowFrom + to - from))) return false;
    if (!isSameEntry(old.entry(last), now.entry(nowRow + length - 1))) return false;
    row += length;
    nowRow += length;
  }
}

/** The numbers of the rows that may differ, in order. */
function touchedRows({ table }: BlockEntries, touched: ReadonlySet<string>): readonly number[] {
  const rows = [...touched].map((digest) => table.find(digest));
  return rows.filter((row) => row >= 0).sort((a, b) => a - b);
}

/** The first row from one on that is not touched. */
function passOver(touched: readonly number[], row: number): number {
  let next = row;
  while (nextOf(touched, next) === next) next += 1;
  return next;
}

/** The first touched row from one on; infinite where there is none. */
function nextOf(touched: readonly number[], row: number): number {
  let [low, high] = [0, touched.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((touched[middle] ?? 0) < row) low = middle + 1;
    else high = middle;
  }
  return touched[low] ?? Number.POSITIVE_INFINITY;
}

/** Whether rows follow each other as in the skeleton, and touched ones are what they are there. */
function areInOrder(
  meant: Iterable<Entry>,
  now: BlockEntries,
  touched: ReadonlySet<string>,
): boolean {
  let last = -1;
  const missing = new Set(touched);
  for (const entry of meant) {
    if (entry.place === "legacy") continue;
    const row = now.table.find(entry.digest);
    if (row <= last) return false;
    last = row;
    missing.delete(entry.digest);
    if (touched.has(entry.digest) && !isSameEntry(entry, now.entry(row))) return false;
  }
  return [...missing].every((digest) => !now.table.has(digest));
}

function isSameEntry(a: Entry, b: Entry): boolean {
  if (a.digest !== b.digest || a.place !== b.place || a.fields.size !== b.fields.size) return false;
  const others = b.fields.entries();
  for (const [name, text] of a.fields) {
    const [otherName, other] = others.next().value ?? [];
    if (name !== otherName || text !== other) return false;
  }
  return true;
}
