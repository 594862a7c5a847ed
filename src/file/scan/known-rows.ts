import type { BlockName } from "../diagnose-row.js";
import type { Policy } from "../policy.js";
import { FAULTY, SPOKEN } from "./row-scanner.js";
import type { RowTable } from "./row-table.js";
import type { Scan } from "./scan.js";

/** Octets that an edit left as they are. */
export interface KeptOctets {
  /** Where they stood. */
  readonly start: number;
  readonly end: number;
  /** Where they stand now. */
  readonly now: number;
}

/**
 * The rows of a text that an edit left as they are. What a scan finds of a row hangs on its own
 * octets, on the indentation of its block and on the policy; so those whose lines are kept from
 * their own to the next one's are noted as they were found before, and all else is scanned anew.
 */
export class KnownRows {
  readonly #before: Scan;
  readonly #kept: readonly KeptOctets[];

  /** @param kept - in the order they stand in. */
  constructor(before: Scan, kept: readonly KeptOctets[]) {
    this.#before = before;
    this.#kept = kept;
  }

  /** Whether rows may be taken over: by another policy there may be more to be said of them. */
  isFor(policy: Policy): boolean {
    return JSON.stringify(policy) === JSON.stringify(this.#before.policy);
  }

  /** Whether any text outside ASCII stood there. */
  get isWide(): boolean {
    return this.#before.isWide;
  }

  /** How many rows a block had. */
  countOf(name: BlockName): number {
    return this.#before.blocks[name].table.count;
  }

  /**
   * Notes the rows of a block that are known, from the one whose line starts at an offset.
   *
   * @returns where the line of the first row starts that was not noted.
   */
  note(name: BlockName, offset: number, indent: number, table: RowTable): number {
    const kept = this.#keptAt(offset);
    if (kept === undefined) return offset;
    const block = this.#before.blocks[name];
    const shift = kept.now - kept.start;
    const first = block.table.rowBehind(offset - shift);
    if (first >= block.table.count || block.lineStart(first) !== offset - shift) return offset;
    if (block.keyStart(first) - block.lineStart(first) !== indent) return offset;
    // The row that the kept octets end in may go on in another way now.
    const last = block.table.rowBehind(kept.end - 1) - 1;
    let row = first;
    for (; row < last; row += 1) {
      const flags = block.table.flagsOf(row);
      if ((flags & SPOKEN) !== 0) break;
      const [at, hash] = [block.table.offsetOf(row) + shift, block.table.hashOf(row)];
      if (table.rowOf(at, hash) >= 0) break;
      table.add(at, hash, flags & ~FAULTY);
    }
    return row === first ? offset : block.lineStart(row) + shift;
  }

  #keptAt(offset: number): KeptOctets | undefined {
    let [low, high] = [0, this.#kept.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#kept[middle]?.now ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const kept = this.#kept[low];
    const isInside = kept !== undefined && offset >= kept.now;
    return isInside && offset < kept.now + kept.end - kept.start ? kept : undefined;
  }
}
