import type { RowJudge, BlockName } from "../diagnose-row.js";
import type { Policy } from "../policy.js";
import type { SyntaxPair } from "../syntax.js";
import { noteCanonicalRows } from "./canonical-rows.js";
import { EntryLines } from "./entry-lines.js";
import { DECLINED, OPEN_BRACE } from "./octet.js";
import { QuickJudge } from "./quick-judge.js";
import { RowKey } from "./row-key.js";
import type { KnownRows } from "./known-rows.js";
import type { RowTable } from "./row-table.js";
import type { Scalars } from "./scalars.js";

/** Flag of a row that was judged one by one, so that something may have been said of it. */
export const SPOKEN: number = 1 << 13;
/** Flags of a row besides its fields: the entry has to be made by `RowJudge`. */
export const ODD: number = 1 << 14;
/** An error stands against the row that does not lie in its entry. */
export const FAULTY: number = 1 << 15;

/** Scans the rows of a block: notes the plain ones, and has all others judged. */
export class RowScanner {
  readonly #scalars: Scalars;
  readonly #judge: RowJudge;
  readonly #quick: QuickJudge;
  readonly #key: RowKey;
  readonly #lines: EntryLines;
  readonly #known: KnownRows | undefined;
  /** As a scan has it. */
  quietUntilMs: number;

  constructor(scalars: Scalars, judge: RowJudge, policy: Policy, known?: KnownRows) {
    this.#known = known;
    this.quietUntilMs = known?.quietUntilMs ?? Number.POSITIVE_INFINITY;
    this.#scalars = scalars;
    this.#judge = judge;
    this.#quick = new QuickJudge(policy);
    this.#key = new RowKey(scalars);
    this.#lines = new EntryLines(scalars);
  }

  /**
   * Scans rows into a table.
   *
   * @param offset - where the digest of the first row stands, on a line that `scalars` found.
   * @returns where the line of what follows the block starts, or {@link DECLINED}.
   */
  block(name: BlockName, offset: number, table: RowTable): number {
    const scalars = this.#scalars;
    const { indent } = scalars;
    const mayNote = name === "api_keys" && !this.#quick.isExacting;
    let content = offset;
    for (;;) {
      let next = this.#row(name, content, indent, table);
      if (next === DECLINED) return DECLINED;
      const found = this.#known?.note(name, next, indent, table) ?? next;
      if (found === next && mayNote && next < scalars.size) {
        const until = this.#known?.nextKept(next) ?? scalars.size;
        const form = { row: indent, field: this.#lines.indent, until };
        next = noteCanonicalRows(scalars.view, scalars.bytes, table, next, form);
      } else {
        next = found;
      }
      content = scalars.contentLine(next);
      if (content === DECLINED || content >= scalars.size) return content;
      if (scalars.indent === 0) return content;
      if (scalars.indent !== indent) return DECLINED;
    }
  }

  #row(name: BlockName, offset: number, indent: number, table: RowTable): number {
    const behind = this.#key.read(offset);
    if (behind === DECLINED) return DECLINED;
    const { digestAt, hash, isClean } = this.#key;
    if (!this.#entry(name, behind, indent)) return DECLINED;
    const quick = this.#quick;
    const next = this.#lines.next;
    const repeated = table.rowOf(digestAt, hash);
    const isSound = quick.isSound && repeated < 0;
    if (isSound && isClean && quick.isTimely) {
      table.add(digestAt, hash, quick.fields);
      if (quick.quietUntilMs < this.quietUntilMs) this.quietUntilMs = quick.quietUntilMs;
      return next;
    }
    const pair = readRow(this.#scalars, digestAt, indent);
    if (pair === undefined) return DECLINED;
    const judged = this.#judge.judge(name, pair, () => repeated >= 0);
    if (judged?.isDigest !== true) return DECLINED;
    if (repeated >= 0) table.addFlags(repeated, FAULTY);
    else table.add(digestAt, hash, SPOKEN | (isSound && !judged.entry.faulty ? quick.fields : ODD));
    return next;
  }

  /** Scans an entry, for {@link QuickJudge} to judge. */
  #entry(name: BlockName, offset: number, indent: number): boolean {
    const [scalars, lines, quick] = [this.#scalars, this.#lines, this.#quick];
    quick.begin(name === "api_keys");
    // In braces it is read as a whole, and judged as whatever is not plain.
    if (scalars.at(scalars.spaces(offset)) === OPEN_BRACE) {
      return lines.readEntry(offset, indent) !== undefined;
    }
    let at = lines.first(offset, indent);
    while (at !== DECLINED && at < scalars.size) {
      const behind = lines.name(at);
      if (behind === DECLINED) return false;
      const end = quick.takePlain(lines.field, scalars, behind);
      if (end !== DECLINED) {
        lines.next = scalars.lineEnd(end);
        if (lines.next === DECLINED) return false;
      } else {
        if (!lines.value(behind)) return false;
        quick.take(lines.field, scalars);
      }
      at = lines.following(indent);
    }
    return at !== DECLINED;
  }
}

/** The row whose digest stands at an offset, as a pair; undefined where it is not understood. */
export function readRow(
  scalars: Scalars,
  digestAt: number,
  indent: number,
): SyntaxPair | undefined {
  const key = new RowKey(scalars);
  const quoted = scalars.at(digestAt - 1) > 0x20 ? 1 : 0;
  const behind = key.read(digestAt - quoted);
  if (behind === DECLINED) return undefined;
  const node = key.node();
  const value = new EntryLines(scalars).readEntry(behind, indent);
  return value === undefined ? undefined : { key: node, value };
}
