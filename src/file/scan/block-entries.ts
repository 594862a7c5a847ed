import type { Entry, EntryField } from "../../core/entry.js";
import { RowJudge, type BlockName } from "../diagnose-row.js";
import { isString } from "../layout.js";
import { Report } from "../report.js";
import type { SyntaxPair } from "../syntax.js";
import { BytePlaces } from "./byte-places.js";
import { EntryLines, numberOf } from "./entry-lines.js";
import { copyCanonicalRow } from "./canonical-copy.js";
import { BACKSLASH, DECLINED, OPEN_BRACE, SPACE } from "./octet.js";
import { isLowerHex, RowKey } from "./row-key.js";
import { FAULTY, ODD, readRow } from "./row-scanner.js";
import { hashOf, type RowTable } from "./row-table.js";
import type { Scalars } from "./scalars.js";
import { TableEntry, type EntryText } from "./table-entry.js";

const DIGITS = 64;
const ID = numberOf("id");
/** The fields that `create --id` writes. */
const PLAIN_FIELDS = (1 << ID) | (1 << numberOf("created_at"));
/** What it writes, from the digest on: id and instant. */
const PLAIN_ROW =
  /^[0-9a-f]{64}["']:\n +id: (["']?)([A-Za-z0-9][A-Za-z0-9._@+:-]*)\1\n +created_at: "([0-9TZ:-]{20})"\n/;
const LONGEST_PLAIN_ROW = 512;
const LIVE = Buffer.from('["live","');
const RETIRED = Buffer.from('["retired","');
/** Most entries that are kept once they were made. */
const MOST_KEPT = 1 << 17;
const FEWEST_KEPT = 16;
/** Places for each entry that is kept: then few of them meet. */
const PLACES = 8;

interface PlainRow {
  readonly id: string;
  readonly created: string;
}

/** The entries of one block, made when they are asked for. */
export class BlockEntries implements EntryText {
  readonly table: RowTable;
  readonly #name: BlockName;
  readonly #scalars: Scalars;
  /** Entries that were asked for, each at the place of its hash's last bits or beside it. */
  #kept: (Entry | undefined)[] = placesFor(FEWEST_KEPT);
  /** How many entries were made for it. */
  #made = 0;

  constructor(name: BlockName, table: RowTable, scalars: Scalars) {
    this.table = table;
    this.#name = name;
    this.#scalars = scalars;
  }

  find(digest: string): Entry | undefined {
    const hash = hashOf(digest);
    const place = hash & (this.#kept.length - 1);
    const kept = this.#kept[place];
    if (kept !== undefined && kept.digest === digest) return kept;
    const beside = this.#kept[place ^ 1];
    if (beside !== undefined && beside.digest === digest) return beside;
    const row = this.table.find(digest, hash);
    if (row < 0) return undefined;
    const entry = this.#make(row, digest);
    this.#keep(entry, hash);
    return entry;
  }

  #keep(entry: Entry, hash: number): void {
    this.#made += 1;
    const size = this.#kept.length;
    if (this.#made * PLACES > size && size < MOST_KEPT) {
      const kept = this.#kept;
      this.#kept = placesFor(size * PLACES);
      for (const other of kept) if (other !== undefined) this.#put(other, hashOf(other.digest));
    }
    this.#put(entry, hash);
  }

  /** At its place or the one beside it; where both are taken, the first is given up. */
  #put(entry: Entry, hash: number): void {
    const place = hash & (this.#kept.length - 1);
    const isBeside = this.#kept[place] !== undefined && this.#kept[place ^ 1] === undefined;
    this.#kept[isBeside ? place ^ 1 : place] = entry;
  }

  /** The entry of a row. */
  entry(row: number): Entry {
    return this.#make(row, this.digest(row));
  }

  /** All of them in file order; they are not kept. */
  *all(): Generator<Entry> {
    for (let row = 0; row < this.table.count; row += 1) yield this.entry(row);
  }

  /** The entries whose digests start with digits, in lower case. */
  *startingWith(digits: string): Generator<Entry> {
    for (let row = 0; row < this.table.count; row += 1) {
      if (this.table.startsWith(row, digits)) yield this.entry(row);
    }
  }

  /** The entries in whose fields a text stands, and perhaps others. */
  *holding(text: string): Generator<Entry> {
    const { bytes } = this.#scalars;
    // What is escaped stands there in another way.
    if (text === "" || text.includes("'") || bytes.includes(BACKSLASH)) {
      yield* this.all();
      return;
    }
    const { table } = this;
    let row = 0;
    while (row < table.count) {
      const found = bytes.indexOf(text, table.offsetOf(row) + DIGITS);
      if (found < 0) return;
      row = table.rowBehind(found);
      if (row > 0) yield this.entry(row - 1);
    }
  }

  /** The entries that have a field, and perhaps others. */
  *perhapsHaving(field: EntryField): Generator<Entry> {
    const { table } = this;
    const flags = (1 << numberOf(field)) | ODD;
    for (let row = 0; (row = table.flagged(flags, row, table.count)) < table.count; row += 1) {
      yield this.entry(row);
    }
  }

  /** Finds fault with every row whose digest is retired too. */
  markRetired(retired: RowTable, report: Report): void {
    for (let index = 0; index < retired.count; index += 1) {
      const row = this.table.rowOf(retired.offsetOf(index), retired.hashOf(index));
      if (row < 0) continue;
      this.table.addFlags(row, FAULTY);
      report.add("retired-and-live", [this.#name, this.digest(row)], this.keyStart(row));
    }
  }

  digest(row: number): string {
    const from = this.table.offsetOf(row);
    return this.#scalars.bytes.toString("latin1", from, from + DIGITS).toLowerCase();
  }

  field(row: number, field: EntryField): string | undefined {
    const plain = this.#plain(row);
    if (plain !== undefined) return field === "id" ? plain.id : plain.created;
    const number = numberOf(field);
    const lines = new EntryLines(this.#scalars);
    const { indent, behind } = this.#rowStart(row);
    let at = lines.first(behind, indent);
    while (at !== DECLINED && at < this.#scalars.size && lines.read(at)) {
      if (lines.field === number) return this.#scalars.text();
      at = lines.following(indent);
    }
    return undefined;
  }

  /**
   * Writes a row in canonical form (`canonicalRow`) where it is as `create --id` writes it, and gives
   * where it ends; 0 for any other row.
   */
  writeCanonical(row: number, target: Buffer, offset: number): number {
    const { bytes, view } = this.#scalars;
    const digestAt = this.table.offsetOf(row);
    if (this.table.flagsOf(row) !== PLAIN_FIELDS || !isLowerHex(view, digestAt)) return 0;
    const head = this.#name === "api_keys" ? LIVE : RETIRED;
    return copyCanonicalRow(bytes, digestAt, head, target, offset);
  }

  /**
   * What a row holds where it stands as `create --id` writes it. By a pattern, since a command runs
   * whatever loops are written here before they are compiled to machine code.
   */
  #plain(row: number): PlainRow | undefined {
    if (this.table.flagsOf(row) !== PLAIN_FIELDS) return undefined;
    const from = this.table.offsetOf(row);
    const text = this.#scalars.bytes.toString("latin1", from, from + LONGEST_PLAIN_ROW);
    const found = PLAIN_ROW.exec(text);
    if (found === null) return undefined;
    const [, , id = "", created = ""] = found;
    return { id, created };
  }

  fields(row: number): ReadonlyMap<string, string> {
    const fields = new Map<string, string>();
    const value = this.#pair(row)?.value;
    if (value?.kind !== "mapping") return fields;
    for (const { key, value: text } of value.pairs) {
      if (isString(key) && isString(text)) fields.set(key.text, text.text);
    }
    return fields;
  }

  #make(row: number, digest: string): Entry {
    const flags = this.table.flagsOf(row);
    const faulty = (flags & FAULTY) !== 0;
    if ((flags & ODD) === 0) {
      const place = this.#name === "api_keys" ? "live" : "retired";
      return new TableEntry(this, { number: row, digest, has: flags, place, faulty });
    }
    const entry = this.#judged(row);
    return faulty && !entry.faulty ? { ...entry, faulty } : entry;
  }

  /** An odd entry, as it was judged when it was scanned; what was said of it is said already. */
  #judged(row: number): Entry {
    const report = new Report(() => new BytePlaces(this.#scalars.bytes));
    const judge = new RowJudge({ nowMs: 0 }, report);
    const pair = this.#pair(row);
    const judged = pair && judge.judge(this.#name, pair, () => false);
    if (judged === undefined) throw new RangeError("a row that was scanned can't be read");
    return judged.entry;
  }

  #pair(row: number): SyntaxPair | undefined {
    return readRow(this.#scalars, this.table.offsetOf(row), this.#rowStart(row).indent);
  }

  /** Spaces before a row's digest, and the offset behind the colon. */
  #rowStart(row: number): { readonly indent: number; readonly behind: number } {
    const scalars = this.#scalars;
    const key = this.keyStart(row);
    let start = key;
    while (start > 0 && scalars.at(start - 1) === SPACE) start -= 1;
    return { indent: key - start, behind: new RowKey(scalars).read(key) };
  }

  /** Where the key of a digest stands, where it does. */
  keyOffset(digest: string): number | undefined {
    const row = this.table.find(digest);
    return row < 0 ? undefined : this.keyStart(row);
  }

  /** Where the line of a row starts. */
  lineStart(row: number): number {
    return this.keyStart(row) - this.#rowStart(row).indent;
  }

  /** Whether the entry of a row stands in braces. */
  isInBraces(row: number): boolean {
    const { behind } = this.#rowStart(row);
    return this.#scalars.at(this.#scalars.spaces(behind)) === OPEN_BRACE;
  }

  /** Where the key of a row stands, with its quotes. */
  keyStart(row: number): number {
    const digestAt = this.table.offsetOf(row);
    return this.#scalars.at(digestAt - 1) > SPACE ? digestAt - 1 : digestAt;
  }
}

function placesFor(size: number): (Entry | undefined)[] {
  return new Array<Entry | undefined>(Math.min(size, MOST_KEPT)).fill(undefined);
}
