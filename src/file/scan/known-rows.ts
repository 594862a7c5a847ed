import type { BlockName } from "../diagnose-row.js";
import type { Policy } from "../policy.js";
import { numberOf } from "./entry-lines.js";
import { FAULTY, SPOKEN } from "./row-scanner.js";
import type { RowTable } from "./row-table.js";
import type { Scan } from "./scan.js";

/** Octets that stand in a text as they stood in another. */
export interface KeptOctets {
  /** Where they stood. */
  readonly start: number;
  readonly end: number;
  /** Where they stand now. */
  readonly now: number;
}

/** Most rows of a block that are read anew before nothing is taken over any more. */
const MOST_ANEW = 4096;
const DIGITS = 64;
const EXPIRING = 1 << numberOf("expires_at");

/** The rows of a block that were read anew. */
interface Anew {
  /** How many rows of the table have been looked at. */
  seen: number;
  /** Where their digests stood in the table before, where they did. */
  readonly stood: number[];
}

/**
 * The rows of a text that stand in it as they stood in one that was scanned before. What a scan
 * finds of a row hangs on its own octets, on the indentation of its block and on the policy; so
 * those whose lines are kept from their own to the next one's are noted as they were found before,
 * and all else is scanned anew.
 */
export class KnownRows {
  readonly #before: Scan;
  readonly #kept: readonly KeptOctets[];
  readonly #anew: Readonly<Record<BlockName, Anew>> = {
    api_keys: { seen: 0, stood: [] },
    retired_api_keys: { seen: 0, stood: [] },
  };
  /** Flags of rows that are read anew. */
  #uncertain = SPOKEN;

  /** @param kept - in the order they stand in; none of it twice. */
  constructor(before: Scan, kept: readonly KeptOctets[]) {
    this.#before = before;
    this.#kept = kept;
  }

  /** Prepares for a policy; false where by it there may be something else to be said of each row. */
  prepare(policy: Policy): boolean {
    const { diagnostics, policy: earlier, quietUntilMs } = this.#before;
    // A second row of a digest is in no table.
    if (diagnostics.some(({ code }) => code === "duplicate-key")) return false;
    if (policy.nowMs >= quietUntilMs) this.#uncertain |= EXPIRING;
    return JSON.stringify({ ...policy, nowMs: 0 }) === JSON.stringify({ ...earlier, nowMs: 0 });
  }

  /** Whether nothing was to be said of the whole text, nor is by a policy. */
  isSilentFor(policy: Policy): boolean {
    const { diagnostics, quietUntilMs } = this.#before;
    return diagnostics.length === 0 && policy.nowMs < quietUntilMs && this.prepare(policy);
  }

  /** Until when nothing is to be said of the rows of which there was nothing to say. */
  get quietUntilMs(): number {
    return this.#before.quietUntilMs;
  }

  /** Whether any text outside ASCII stood there. */
  get isWide(): boolean {
    return this.#before.isWide;
  }

  /** How many rows a block had. */
  countOf(name: BlockName): number {
    return this.#before.blocks[name].table.count;
  }

  /** Where the next octets that were kept start, at or behind an offset. */
  nextKept(offset: number): number {
    const place = this.#placeOf(offset);
    const next = this.#kept[place]?.now === offset ? place : place + 1;
    return this.#kept[next]?.now ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Notes the rows of a block that are known, from the one whose line starts at an offset.
   *
   * @returns where the line of the first row starts that was not noted.
   */
  note(name: BlockName, offset: number, indent: number, table: RowTable): number {
    const kept = this.#kept[this.#placeOf(offset)];
    if (kept === undefined || !this.#look(name, table)) return offset;
    const anew = this.#anew[name];
    const block = this.#before.blocks[name];
    const shift = kept.now - kept.start;
    if (offset - shift >= kept.end) return offset;
    const first = block.table.rowBehind(offset - shift);
    if (first >= block.table.count || block.lineStart(first) !== offset - shift) return offset;
    if (block.keyStart(first) - block.lineStart(first) !== indent) return offset;
    // The row that the kept octets end in may go on in another way now.
    const last = block.table.rowBehind(kept.end - 1) - 1;
    let end = block.table.flagged(this.#uncertain, first, last);
    // A digest that stands here already is one too many.
    for (const row of anew.stood) if (row >= first && row < end) end = row;
    if (end <= first) return offset;
    table.takeOver(block.table, first, end, shift, FAULTY);
    anew.seen = table.count;
    return block.lineStart(end) + shift;
  }

  /** The number of the last kept octets that start at an offset or before it; -1 where none do. */
  #placeOf(offset: number): number {
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#kept[middle]?.now ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Takes in the rows that were read anew; false where they are too many. */
  #look(name: BlockName, table: RowTable): boolean {
    const { table: before } = this.#before.blocks[name];
    const anew = this.#anew[name];
    if (anew.stood.length + table.count - anew.seen > MOST_ANEW) return false;
    for (; anew.seen < table.count; anew.seen += 1) {
      const from = table.offsetOf(anew.seen);
      const digest = Buffer.from(table.bytes.subarray(from, from + DIGITS)).toString("latin1");
      anew.stood.push(before.find(digest.toLowerCase()));
    }
    return true;
  }
}
