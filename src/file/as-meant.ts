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
  const [oldRows, nowRows] = [old, now].map((block) => othersOf(block, touched)) as [Rows, Rows];
  // Rows that stand side by side as before are compared in one go, up to where the last one starts.
  let [oldStart, nowStart] = [-1, -1];
  let [oldLast, nowLast] = [-1, -1];
  const isRunSame = (): boolean => {
    if (oldLast < 0) return true;
    const [from, to] = [old.table.offsetOf(oldStart), old.table.offsetOf(oldLast)];
    const nowFrom = now.table.offsetOf(nowStart);
    const source = before.bytes.subarray(from, to);
    const isSame = source.equals(after.bytes.subarray(nowFrom, nowFrom + to - from));
    return isSame && isSameEntry(old.entry(oldLast), now.entry(nowLast));
  };
  for (;;) {
    const [row, nowRow] = [oldRows.next(), nowRows.next()];
    if (row < 0 || nowRow < 0) return row === nowRow && isRunSame();
    const shift = now.table.offsetOf(nowRow) - old.table.offsetOf(row);
    const goesOn =
      row === oldLast + 1 &&
      nowRow === nowLast + 1 &&
      shift === now.table.offsetOf(nowLast) - old.table.offsetOf(oldLast);
    if (!goesOn || oldLast < 0) {
      if (!isRunSame()) return false;
      [oldStart, nowStart] = [row, nowRow];
    }
    [oldLast, nowLast] = [row, nowRow];
  }
}

/** The rows of a block one by one; -1 at its end. */
interface Rows {
  next(): number;
}

function othersOf({ table }: BlockEntries, touched: ReadonlySet<string>): Rows {
  const rows = new Set([...touched].map((digest) => table.find(digest)));
  let row = -1;
  return {
    next(): number {
      do row += 1;
      while (rows.has(row));
      return row < table.count ? row : -1;
    },
  };
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
