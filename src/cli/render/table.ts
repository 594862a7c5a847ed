import { cutToWidth, displayWidth } from "./display-width.js";

/** One column: plain texts, and how they are set off once they have their final length. */
export interface Column {
  readonly head: string;
  readonly cells: readonly string[];
  /** Whether cells may be cut to fit; ids and fingerprints never are. */
  readonly isCut?: boolean;
  /** Sets off the cell of a row. */
  readonly style?: (text: string, row: number) => string;
}

/** How a table is drawn. */
export interface TableOptions {
  /** The terminal's width, or undefined for a pipe: then nothing is cut. */
  readonly width: number | undefined;
  readonly head: (text: string) => string;
}

const GAP = 2;

/** Rows that are laid out at once: cli-table3 takes a time that grows with their square. */
const CHUNK = 50;

/** Narrowest that a column is cut to, in columns of the terminal. */
const NARROWEST = 8;

/**
 * Draws the first of several layouts that fits the width with its cells cut no further than is
 * still readable, or else the last.
 */
export async function formatTable(
  layouts: readonly (readonly Column[])[],
  options: TableOptions,
): Promise<string> {
  const { width } = options;
  const fitting = layouts.find((layout) => width === undefined || leastWidth(layout) <= width);
  const columns = fitting ?? layouts.at(-1) ?? [];
  const cut = width === undefined ? columns : fit(columns, width);
  return draw(cut, options);
}

function draw(columns: readonly Column[], { width, head }: TableOptions): Promise<string> {
  const widths = columns.map(naturalWidth);
  const count = columns[0]?.cells.length ?? 0;
  const first = columns.map((column, index) => padded(column.head, widths[index], head));
  const rows = Array.from({ length: count }, (_, row) =>
    columns.map(({ cells, style }, index) =>
      padded(cells[row] ?? "", widths[index], (text) => style?.(text, row) ?? text),
    ),
  );
  return width === undefined
    ? Promise.resolve(joinLines([first, ...rows].map((cells) => cells.join(" ".repeat(GAP)))))
    : drawAtTerminal([first, ...rows]);
}

async function drawAtTerminal(rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const lines: string[] = [];
  for (let first = 0; first < rows.length; first += CHUNK) {
    const table = new Table({
      chars: NO_BORDER,
      style: { "padding-left": 0, "padding-right": GAP, compact: true },
    });
    table.push(...rows.slice(first, first + CHUNK).map((cells) => [...cells]));
    lines.push(...table.toString().split("\n"));
  }
  return joinLines(lines);
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** Every cell gets its column's width, so that the chunks of a table stand in line. */
function padded(text: string, width = 0, style: (text: string) => string): string {
  return style(text) + " ".repeat(Math.max(0, width - displayWidth(text)));
}

const NO_BORDER = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

function naturalWidth({ head, cells }: Column): number {
  return cells.reduce((widest, cell) => Math.max(widest, displayWidth(cell)), head.length);
}

function leastWidth(columns: readonly Column[]): number {
  const widths = columns.map((column) => {
    const width = naturalWidth(column);
    return column.isCut === true ? Math.min(width, Math.max(NARROWEST, column.head.length)) : width;
  });
  return totalWidth(widths);
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1);
}

/** Cuts the widest of the columns that may be cut, one by one, until all fit. */
function fit(columns: readonly Column[], width: number): readonly Column[] {
  const widths = columns.map(naturalWidth);
  for (let excess = totalWidth(widths) - width; excess > 0; excess -= 1) {
    let widest: number | undefined;
    for (const [index, { isCut }] of columns.entries()) {
      if (isCut !== true || (widths[index] ?? 0) <= NARROWEST) continue;
      if (widest === undefined || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return columns.map((column, index) => {
    if (column.isCut !== true) return column;
    return { ...column, cells: column.cells.map((cell) => cutToWidth(cell, widths[index] ?? 0)) };
  });
}
