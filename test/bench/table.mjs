import { verdictOf } from "./ratio.mjs";

/** @import { Row } from "./types.d.ts" */

/** @param {number | undefined} ratio */
export function ratioText(ratio) {
  if (ratio === undefined) return "-";
  return `${ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)}×`;
}

/** @param {Row["target"]} target */
export function targetText(target) {
  if (target === undefined) return "-";
  return `${target.kind === "at most" ? "≤" : "≥"} ${target.value}×`;
}

/** @param {Row} row */
export function spreadText({ least, most }) {
  return least === undefined ? "-" : `${ratioText(least)}–${ratioText(most)}`;
}

/** The rows as a table for a terminal. @param {readonly Row[]} rows */
export function formatRows(rows) {
  const cells = [
    ["suite", "measure", "against", "ratio", "n", "min–max", "target", "verdict", "medians"],
    ...rows.map((row) => [
      row.suite,
      row.unit === "time" ? row.measure : `${row.measure} (${row.unit})`,
      row.baseline,
      ratioText(row.ratio),
      String(row.n),
      spreadText(row),
      targetText(row.target),
      verdictOf(row),
      row.skipped ?? `${row.subject} : ${row.against}`,
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  return cells
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function markdownTable(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}
