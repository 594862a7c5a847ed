import { ENTRY_FIELDS, type EntryField } from "../../core/entry.js";
import { isString } from "../layout.js";
import type { MappingNode, SyntaxPair } from "../syntax.js";
import { readFlow } from "./flow.js";
import { DECLINED, OPEN_BRACE } from "./octet.js";
import type { Scalars } from "./scalars.js";
import { scanName } from "./settings.js";

/** Stands for a field that keyhold does not know, or whose name is not written plainly. */
export const OTHER_FIELD = -1;

const FIELD_NUMBERS: ReadonlyMap<string, number> = new Map(
  ENTRY_FIELDS.map((name, index) => [name, index]),
);
const NAMES: readonly Buffer[] = ENTRY_FIELDS.map((name) => Buffer.from(name));
/** The numbers of the fields whose names start with two octets, by {@link startOf} these. */
const BY_START: (readonly number[])[] = new Array<readonly number[]>(1 << 10).fill([]);
for (const [number, name] of NAMES.entries()) {
  const start = startOf(name[0] ?? 0, name[1] ?? 0);
  BY_START[start] = [...(BY_START[start] ?? []), number];
}

/** The number of a known field: its place in `ENTRY_FIELDS`. */
export function numberOf(field: EntryField): number {
  return ENTRY_FIELDS.indexOf(field);
}

/** Reads the lines of an entry in block form, one field after the other. */
export class EntryLines {
  readonly scalars: Scalars;
  /** The field just read, by its number; its value is the scalar just read. */
  field: number = OTHER_FIELD;
  /** Where the line behind it starts. */
  next = 0;
  /** Spaces before the fields of the entry. */
  indent = 0;

  constructor(scalars: Scalars) {
    this.scalars = scalars;
  }

  /**
   * Finds the first field of an entry.
   *
   * @param offset - behind the colon of the row's digest.
   * @param rowIndent - spaces before the digest.
   * @returns where the field's name stands, or {@link DECLINED}.
   */
  first(offset: number, rowIndent: number): number {
    const line = this.scalars.lineEnd(offset);
    if (line === DECLINED) return DECLINED;
    const content = this.scalars.contentLine(line);
    if (content === DECLINED || this.scalars.indent <= rowIndent) return DECLINED;
    this.indent = this.scalars.indent;
    return content;
  }

  /**
   * Finds the field after one that was read.
   *
   * @returns where its name stands; the size of the text at the entry's end, `next` being where the
   *   line of what follows starts; or {@link DECLINED}.
   */
  following(rowIndent: number): number {
    const content = this.scalars.contentLine(this.next);
    if (content === DECLINED) return DECLINED;
    const { indent, size } = this.scalars;
    if (indent === this.indent) return content;
    this.next = content - Math.max(0, indent);
    return indent > rowIndent ? DECLINED : size;
  }

  /** Reads a field on its line; false where it is not fully understood. */
  read(offset: number): boolean {
    const behind = this.name(offset);
    return behind !== DECLINED && this.value(behind);
  }

  /** Reads a field on its line as a pair; undefined where it is not fully understood. */
  readPair(offset: number): SyntaxPair | undefined {
    const behind = scanName(this.scalars, offset);
    if (behind === DECLINED) return undefined;
    const key = this.scalars.node();
    return this.value(behind) ? { key, value: this.scalars.node() } : undefined;
  }

  /** Reads an entry as a mapping; undefined where it is not fully understood. */
  readEntry(offset: number, rowIndent: number): MappingNode | undefined {
    const brace = this.scalars.spaces(offset);
    if (this.scalars.at(brace) === OPEN_BRACE) {
      const node = readFlow(this.scalars, brace);
      if (node?.kind !== "mapping") return undefined;
      this.next = this.scalars.lineEnd(node.end);
      return this.next === DECLINED ? undefined : node;
    }
    const pairs: SyntaxPair[] = [];
    let at = this.first(offset, rowIndent);
    const start = at;
    while (at !== DECLINED && at < this.scalars.size) {
      const pair = this.readPair(at);
      if (pair === undefined) return undefined;
      pairs.push(pair);
      at = this.following(rowIndent);
    }
    const end = pairs.at(-1)?.value.end;
    if (at === DECLINED || end === undefined) return undefined;
    return { kind: "mapping", flow: false, pairs, start, end, tagged: false, anchored: false };
  }

  /** Reads a field's name; the result is the offset behind its colon, or {@link DECLINED}. */
  name(offset: number): number {
    const { scalars } = this;
    for (const number of BY_START[startOf(scalars.at(offset), scalars.at(offset + 1))] ?? NONE) {
      const end = endOfName(scalars.bytes, offset, NAMES[number] ?? NOTHING);
      if (end === DECLINED || !scalars.isColon(end)) continue;
      this.field = number;
      return end + 1;
    }
    const behind = scanName(scalars, offset);
    if (behind === DECLINED) return DECLINED;
    const key = scalars.node();
    this.field = isString(key) ? (FIELD_NUMBERS.get(key.text) ?? OTHER_FIELD) : OTHER_FIELD;
    return behind;
  }

  /** Reads the value behind a name's colon; false where it is not fully understood. */
  value(offset: number): boolean {
    const { scalars } = this;
    const behind = scalars.scan(scalars.spaces(offset));
    if (behind === DECLINED || scalars.isColon(behind)) return false;
    this.next = scalars.lineEnd(behind);
    return this.next !== DECLINED;
  }
}

const NONE: readonly number[] = [];
const NOTHING = Buffer.alloc(0);

function startOf(first: number, second: number): number {
  return ((first & 31) << 5) | (second & 31);
}

/** Behind a name that stands at an offset, or {@link DECLINED} where it does not. */
function endOfName(bytes: Uint8Array, offset: number, name: Uint8Array): number {
  for (let index = 0; index < name.length; index += 1) {
    if (bytes[offset + index] !== name[index]) return DECLINED;
  }
  return offset + name.length;
}
