import { canonicalRow, GenerationHash } from "../../core/generation.js";
import type { Entry } from "../../core/entry.js";
import type { BlockEntries } from "./block-entries.js";
import { inDigestOrder } from "./digest-order.js";

const CHUNK = 1 << 16;
/** Room for any row that is written octet by octet. */
const LONGEST_ROW = 1024;

/**
 * The generation of keys that were scanned, as `generationOf` has it of any: without making an entry
 * of each row, since a server works it out whenever it loads a file, and step by step, since it
 * answers requests meanwhile.
 */
export function* scannedGeneration(
  legacy: Entry | undefined,
  live: BlockEntries,
  retired: BlockEntries,
): Generator<undefined, string> {
  const hash = new GenerationHash();
  if (legacy !== undefined) hash.add(canonicalRow(legacy));
  for (const block of [live, retired]) yield* addRows(block, hash);
  return hash.digest();
}

/** Adds rows in the order of their digests, many at a time. */
function* addRows(block: BlockEntries, hash: GenerationHash): Generator<undefined, void> {
  const chunk = Buffer.alloc(CHUNK);
  let size = 0;
  const flush = (): void => {
    if (size > 0) hash.add(chunk.subarray(0, size));
    size = 0;
  };
  for (const row of yield* inDigestOrder(block.table)) {
    if (size > CHUNK - LONGEST_ROW) {
      flush();
      yield;
    }
    const start = size === 0 ? 0 : size + chunk.write(",", size, "latin1");
    const end = block.writeCanonical(row, chunk, start);
    if (end > 0) {
      size = end;
      continue;
    }
    flush();
    hash.add(canonicalRow(block.entry(row)));
  }
  flush();
}
