/**
 * Rows as CSV (RFC 4180: CRLF after each row, a field quoted where it must be). Values are exactly
 * what they are: CSV is data for programs, and a spreadsheet is told by its user what it may run.
 */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(formatField).join(",")}\r\n`).join("");
}

function formatField(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
