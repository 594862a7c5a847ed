import { canonicalRow, GenerationHash } from "../../core/generation.js";
import type { Entry } from "../../core/entry.js";
import type { BlockEntries } from "./block-entries.js";
import { inDigestOrder } from "./digest-order.js";

const MOST_AT_ONCE = 512;

/**
 * The generation of keys that were scanned, as `generationOf` has it of any: without making an entry
 * of each row, since a server works it out whenever it loads a file.
 */
export function scannedGeneration(
  legacy: Entry | undefined,
  live: BlockEntries,
  retired: BlockEntries,
): string {
  const hash = new GenerationHash();
  if (legacy !== undefined) hash.add(canonicalRow(legacy));
  for (const block of [live, retired]) addRows(block, hash);
  return hash.digest();
}

/** Adds rows in the order of their digests, many at a time. */
function addRows(block: BlockEntries, hash: GenerationHash): void {
  let rows: string[] = [];
  const flush = (): void => {
    if (rows.length > 0) hash.add(rows.join(","));
    rows = [];
  };
  for (const row of inDigestOrder(block.table)) {
    rows.push(block.canonical(row) ?? canonicalRow(block.entry(row)));
    if (rows.length === MOST_AT_ONCE) flush();
  }
  flush();
}
