import { visible } from "./visible.js";

/** What a spreadsheet takes for a formula at the start of a cell. */
const FORMULA = /^[=+\-@]/;

/**
 * Rows as CSV (RFC 4180: CRLF after each row, a field quoted where it must be). A field that a
 * spreadsheet would run as a formula gets an apostrophe before it, as OWASP advises, so that a
 * contributor's label can't act in the operator's spreadsheet; JSON has every value unchanged.
 */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(formatField).join(",")}\r\n`).join("");
}

function formatField(value: string): string {
  const shown = visible(value);
  const guarded = FORMULA.test(shown) ? `'${shown}` : shown;
  return /[",]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
