import { cutToWidth, displayWidth, wrapToWidth } from "./display-width.js";

/** One column: plain texts, and how they are set off once they have their final length. */
export interface Column {
  readonly head: string;
  readonly cells: readonly string[];
  /** What fits a cell into a narrow column; ids and fingerprints have nothing that does. */
  readonly narrowed?: "cut" | "wrapped";
  /** Whether cells stand beneath their row where the layout has no place for the column. */
  readonly isKept?: boolean;
  /** Sets off the cell of a row. */
  readonly style?: (text: string, row: number) => string;
}

/** How a table is drawn. */
export interface TableOptions {
  /** The terminal's width, or undefined for a pipe: then nothing is cut. */
  readonly width: number | undefined;
  readonly head: (text: string) => string;
}

/** A table as it is drawn. */
export interface DrawnTable {
  readonly text: string;
  /** The heads of columns that the width has no place for, in their order. */
  readonly leftOut: readonly string[];
}

/** What stands in a cell that has nothing to say. */
export const NOTHING = "-";

const GAP = 2;

/** Rows that are laid out at once: cli-table3 takes a time that grows with their square. */
const CHUNK = 50;

/** Narrowest that a column is cut or wrapped to, in columns of the terminal. */
const NARROWEST = { cut: 8, wrapped: 24 };

/** How far what stands beneath a row is set in, in columns of the terminal. */
const INDENT = 2;

/**
 * Draws the first of several layouts that fits the width with its cells made no narrower than is
 * still readable, or else the last. The first layout has every column.
 */
export async function formatTable(
  layouts: readonly (readonly Column[])[],
  options: TableOptions,
): Promise<DrawnTable> {
  const { width } = options;
  const fitting = layouts.find((layout) => width === undefined || leastWidth(layout) <= width);
  const columns = fitting ?? layouts.at(-1) ?? [];
  const heads = new Set(columns.map(({ head }) => head));
  const missing = (layouts[0] ?? []).filter(({ head }) => !heads.has(head));
  const kept = missing.filter(({ isKept }) => isKept === true);
  const text =
    width === undefined
      ? drawPlain(columns, options.head)
      : await drawAtTerminal(columns, kept, { ...options, width });
  const leftOut = missing.filter((column) => !kept.includes(column)).map(({ head }) => head);
  return { text, leftOut };
}

/** Whole, for a pipe. */
function drawPlain(columns: readonly Column[], head: TableOptions["head"]): string {
  const widths = columns.map(naturalWidth);
  const count = columns[0]?.cells.length ?? 0;
  const first = columns.map((column, index) => padded(column.head, widths[index], head));
  const rows = Array.from({ length: count }, (_, row) =>
    columns.map(({ cells, style }, index) =>
      padded(cells[row] ?? "", widths[index], (text) => style?.(text, row) ?? text),
    ),
  );
  return joinLines([first, ...rows].map((cells) => cells.join(" ".repeat(GAP))));
}

async function drawAtTerminal(
  columns: readonly Column[],
  beneath: readonly Column[],
  { width, head }: TableOptions & { readonly width: number },
): Promise<string> {
  const fitting = fit(columns, width);
  const narrowed = columns.map((column, index) => narrow(column, fitting[index] ?? 0));
  // A wide character can leave a column narrower than it might be.
  const widths = columns.map((column, index) =>
    naturalWidth({ head: column.head, cells: narrowed[index]?.flat() ?? [] }),
  );
  const count = columns[0]?.cells.length ?? 0;
  const rows = [columns.map((column, index) => padded(column.head, widths[index], head))];
  // What stands beneath a row goes in once the rows have become lines.
  const after = new Map<number, readonly string[]>();
  for (let row = 0; row < count; row += 1) {
    const parts = narrowed.map((cells) => cells[row] ?? []);
    const height = Math.max(...parts.map(({ length }) => length));
    for (let line = 0; line < height; line += 1) {
      rows.push(
        columns.map(({ style }, index) =>
          padded(parts[index]?.[line] ?? "", widths[index], (text) => style?.(text, row) ?? text),
        ),
      );
    }
    const lines = beneath.flatMap((column) => linesBeneath(column, row, width, head));
    if (lines.length > 0) after.set(rows.length - 1, lines);
  }
  const lines = await layOut(rows);
  return joinLines(lines.flatMap((line, index) => [line, ...(after.get(index) ?? [])]));
}

/** A column's cells in its width, each in lines. */
function narrow({ cells, narrowed }: Column, width: number): readonly (readonly string[])[] {
  return cells.map((text) => {
    if (narrowed === undefined) return [text];
    return narrowed === "cut" ? [cutToWidth(text, width)] : wrapToWidth(text, width);
  });
}

/** A cell that has no column: its head, then its text, wrapped. */
function linesBeneath(
  { head, cells, style }: Column,
  row: number,
  width: number,
  setOff: (text: string) => string,
): readonly string[] {
  const text = cells[row] ?? "";
  if (text === "" || text === NOTHING) return [];
  const start = " ".repeat(INDENT) + head + " ".repeat(GAP);
  const wrapped = wrapToWidth(text, Math.max(NARROWEST.wrapped, width - start.length));
  return wrapped.map((part, line) => {
    const drawn = style?.(part, row) ?? part;
    return line === 0
      ? " ".repeat(INDENT) + setOff(head) + " ".repeat(GAP) + drawn
      : " ".repeat(start.length) + drawn;
  });
}

/** Each row as a line. */
async function layOut(rows: readonly (readonly string[])[]): Promise<readonly string[]> {
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
  return lines;
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
  return totalWidth(
    columns.map((column) => Math.min(naturalWidth(column), narrowest(column) ?? Infinity)),
  );
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1);
}

/** How narrow a column may get; undefined for one that keeps its width. */
function narrowest({ head, narrowed }: Column): number | undefined {
  return narrowed === undefined ? undefined : Math.max(NARROWEST[narrowed], head.length);
}

/** Narrows the widest of the columns that may get narrower, one by one, until all fit. */
function fit(columns: readonly Column[], width: number): readonly number[] {
  const widths = columns.map(naturalWidth);
  for (let excess = totalWidth(widths) - width; excess > 0; excess -= 1) {
    let widest: number | undefined;
    for (const [index, column] of columns.entries()) {
      const own = widths[index] ?? 0;
      if (own <= (narrowest(column) ?? Infinity)) continue;
      if (widest === undefined || own > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
