import { numberOf } from "./entry-lines.js";
import { ALPHANUMERIC, COLON, LF, PORTABLE, SPACE, SUSPICIOUS_START } from "./octet.js";
import { INSTANT_LENGTH, instantAt } from "./quick-instant.js";
import { isLowerHex, isWeakAt } from "./row-key.js";
import { hashAt, type RowTable } from "./row-table.js";
import { isQuote, stands } from "./standing.js";

const DIGITS = 64;
const LONGEST_ID = 256;
/** No row that is read here is longer, with the start of the next one. */
const LONGEST_ROW = 1024;
const WIDEST_INDENT = 64;

const ID = Buffer.from("id: ");
const CREATED_AT = Buffer.from("created_at: ");
const FIELDS = (1 << numberOf("id")) | (1 << numberOf("created_at"));

/** How the rows of a block are indented, and how far to go. */
export interface RowForm {
  readonly row: number;
  readonly field: number;
  /** No row whose line starts at this offset or behind it is noted. */
  readonly until: number;
}

/**
 * Notes rows as `create --id` writes them, in whatever quotes, for as long as there are such, and nothing is to
 * be said of them. All in one loop and without the checks that a text's end needs, since most rows
 * of a large file are like that; whatever is different is left to the scanner of all forms.
 *
 * @param offset - where the line of a row starts.
 * @returns where the line of the first row starts that was not noted.
 */
export function noteCanonicalRows(
  view: DataView,
  bytes: Uint8Array,
  table: RowTable,
  offset: number,
  form: RowForm,
): number {
  const { row, field } = form;
  if (row > WIDEST_INDENT || field > WIDEST_INDENT) return offset;
  const last = Math.min(bytes.length - LONGEST_ROW, form.until);
  let start = offset;
  while (start < last) {
    const digest = start + row + 1;
    const end = digest + DIGITS;
    const isKey =
      isIndented(bytes, start, row) &&
      isQuote(bytes[digest - 1]) &&
      isLowerHex(view, digest) &&
      bytes[end] === bytes[digest - 1] &&
      bytes[end + 1] === COLON &&
      bytes[end + 2] === LF;
    if (!isKey) break;
    const name = end + 3 + field;
    if (!isIndented(bytes, end + 3, field) || !stands(bytes, name, ID)) break;
    const isQuoted = isQuote(bytes[name + ID.length]);
    const id = name + ID.length + (isQuoted ? 1 : 0);
    const first = bytes[id] ?? 0;
    if (ALPHANUMERIC[first] !== 1 || (!isQuoted && SUSPICIOUS_START[first] === 1)) break;
    let idEnd = id + 1;
    while (PORTABLE[bytes[idEnd] ?? 0] === 1 && idEnd - id <= LONGEST_ID) idEnd += 1;
    if (idEnd - id > LONGEST_ID) break;
    if (isQuoted ? bytes[idEnd] !== bytes[id - 1] : bytes[idEnd - 1] === COLON) break;
    const line = isQuoted ? idEnd + 1 : idEnd;
    if (bytes[line] !== LF) break;
    const instant = line + 2 + field + CREATED_AT.length;
    const isCreated =
      isIndented(bytes, line + 1, field) &&
      stands(bytes, line + 1 + field, CREATED_AT) &&
      isQuote(bytes[instant - 1]) &&
      bytes[instant + INSTANT_LENGTH] === bytes[instant - 1] &&
      bytes[instant + INSTANT_LENGTH + 1] === LF &&
      !Number.isNaN(instantAt(bytes, instant));
    if (!isCreated) break;
    // Only where the next row stands right behind is this one at its end for certain.
    const next = instant + INSTANT_LENGTH + 2;
    if (!isIndented(bytes, next, row) || !isQuote(bytes[next + row])) break;
    const hash = hashAt(view, digest);
    if (isWeakAt(bytes, digest) || table.rowOf(digest, hash) >= 0) break;
    table.add(digest, hash, FIELDS);
    start = next;
  }
  return start;
}

function isIndented(bytes: Uint8Array, offset: number, spaces: number): boolean {
  for (let at = offset; at < offset + spaces; at += 1) if (bytes[at] !== SPACE) return false;
  return true;
}
