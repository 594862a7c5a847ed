import { numberOf } from "./entry-lines.js";
import { nextContentLine, restOfLine } from "./line-rest.js";
import { ALPHANUMERIC, COLON, LF, PORTABLE, SPACE, SUSPICIOUS_START } from "./octet.js";
import { INSTANT_LENGTH, instantAt } from "./quick-instant.js";
import { isLowerHex, isWeakAt } from "./row-key.js";
import { hashAt, type RowTable } from "./row-table.js";
import { isQuote, stands } from "./standing.js";

const DIGITS = 64;
const LONGEST_ID = 256;
/** No row that is read here is longer. */
const LONGEST_ROW = 2048;
const WIDEST_INDENT = 64;

/** Texts as numbers of four octets: in code that runs for the first time, a step is what costs. */
const [ID = 0] = fours("id: ");
const [CREA = 0, TED_ = 0, AT = 0] = fours("created_at: ");
const [LABE = 0] = fours("labe");
const [SPACES = 0] = fours("    ");
const ID_LENGTH = 4;
const CREATED_AT_LENGTH = 12;
const LABEL = Buffer.from("label: ");
const LONGEST_LABEL = 64;
const FIELDS = (1 << numberOf("id")) | (1 << numberOf("created_at"));
const LABELLED = 1 << numberOf("label");

/** How the rows of a block are indented, and how far to go. */
export interface RowForm {
  readonly row: number;
  readonly field: number;
  /** No row whose line starts at this offset or behind it is noted. */
  readonly until: number;
}

/**
 * Notes rows as `create --id` writes them, in whatever quotes, perhaps with comments and a label of
 * one word, for as long as there are such, and nothing is to be said of them. All in one loop and
 * without the checks that a text's end needs, since most rows of a large file are like that; whatever
 * is different is left to the scanner of all forms.
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
  const size = bytes.length - LONGEST_ROW / 2;
  let start = offset;
  while (start < last) {
    const digest = start + row + 1;
    const end = digest + DIGITS;
    const isKey =
      isIndented(view, start, row) &&
      isQuote(bytes[digest - 1]) &&
      isLowerHex(view, digest) &&
      bytes[end] === bytes[digest - 1] &&
      bytes[end + 1] === COLON &&
      bytes[end + 2] === LF;
    if (!isKey) break;
    const name = end + 3 + field;
    if (!isIndented(view, end + 3, field) || view.getInt32(name, true) !== ID) break;
    const isQuoted = isQuote(bytes[name + ID_LENGTH]);
    const id = name + ID_LENGTH + (isQuoted ? 1 : 0);
    const first = bytes[id] ?? 0;
    if (ALPHANUMERIC[first] !== 1 || (!isQuoted && SUSPICIOUS_START[first] === 1)) break;
    let idEnd = id + 1;
    while (PORTABLE[bytes[idEnd] ?? 0] === 1 && idEnd - id <= LONGEST_ID) idEnd += 1;
    if (idEnd - id > LONGEST_ID) break;
    if (isQuoted ? bytes[idEnd] !== bytes[id - 1] : bytes[idEnd - 1] === COLON) break;
    const line = restOfLine(bytes, isQuoted ? idEnd + 1 : idEnd);
    if (line < 0) break;
    const created = line + 1 + field;
    const instant = created + CREATED_AT_LENGTH + 1;
    const isCreated =
      isIndented(view, line + 1, field) &&
      view.getInt32(created, true) === CREA &&
      view.getInt32(created + 4, true) === TED_ &&
      view.getInt32(created + 8, true) === AT &&
      isQuote(bytes[instant - 1]) &&
      bytes[instant + INSTANT_LENGTH] === bytes[instant - 1] &&
      !Number.isNaN(instantAt(bytes, instant));
    if (!isCreated) break;
    const createdEnd = restOfLine(bytes, instant + INSTANT_LENGTH + 1);
    if (createdEnd < 0) break;
    const labelEnd = endOfLabel(view, bytes, createdEnd + 1, field);
    const fields = labelEnd < 0 ? FIELDS : FIELDS | LABELLED;
    // Only where the next row is what stands behind is this one at its end for certain.
    const next = nextContentLine(bytes, (labelEnd < 0 ? createdEnd : labelEnd) + 1);
    if (next >= size || !isIndented(view, next, row) || !isQuote(bytes[next + row])) break;
    const hash = hashAt(view, digest);
    if (isWeakAt(bytes, digest) || table.rowOf(digest, hash) >= 0) break;
    table.add(digest, hash, fields);
    start = next;
  }
  return start;
}

/** Where the line of a label of one word ends; -1 where none starts at an offset. */
function endOfLabel(view: DataView, bytes: Uint8Array, offset: number, field: number): number {
  const name = offset + field;
  if (!isIndented(view, offset, field) || view.getInt32(name, true) !== LABE) return -1;
  const word = name + LABEL.length;
  const first = bytes[word] ?? 0;
  const isWord = ALPHANUMERIC[first] === 1 && SUSPICIOUS_START[first] !== 1;
  if (!stands(bytes, name, LABEL) || !isWord) return -1;
  let end = word + 1;
  while (ALPHANUMERIC[bytes[end] ?? 0] === 1 && end - word < LONGEST_LABEL) end += 1;
  return bytes[end] === LF ? end : -1;
}

function isIndented(view: DataView, offset: number, spaces: number): boolean {
  let at = offset;
  for (const last = offset + spaces - 4; at <= last; at += 4) {
    if (view.getInt32(at, true) !== SPACES) return false;
  }
  for (; at < offset + spaces; at += 1) if (view.getUint8(at) !== SPACE) return false;
  return true;
}

function fours(text: string): number[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readInt32LE(index * 4));
}
