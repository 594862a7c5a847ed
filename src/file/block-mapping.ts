import { formatBlockPair, type BlockStyle, type NewPair } from "./new-pair.js";
import { contentEnd, lineEnding, lineStart, nextLine, pairEnd, type Splice } from "./splice.js";
import type { MappingNode, SyntaxPair } from "./syntax.js";

const DEFAULT_STEP = 2;

/** Lines of a text, `end` being where the next line starts. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/** The whole lines that a pair of a block mapping stands on. */
export function linesOf(text: string, pair: SyntaxPair): LineRange {
  const end = pairEnd(text, pair);
  const atLineStart = end > 0 && text[end - 1] === "\n";
  return { start: lineStart(text, pair.key.start), end: atLineStart ? end : nextLine(text, end) };
}

/** Spaces before the keys of a block mapping that has pairs. */
export function indentOf(text: string, mapping: MappingNode): number {
  const first = mapping.pairs[0];
  return first === undefined ? 0 : indentOfPair(text, first);
}

/** Columns before a pair of a block mapping: before its `? ` or its anchor, where it has one. */
export function indentOfPair(text: string, { key }: SyntaxPair): number {
  const before = text.slice(lineStart(text, key.start), key.start);
  return before.replace(/(?:\? +|&\S+ +)+$/, "").length;
}

/** Spaces that a level adds: as in the first nested block mapping, else 2. */
export function stepOf(text: string, mapping: MappingNode): number {
  for (const { value } of mapping.pairs) {
    if (value.kind !== "mapping" || value.flow || value.pairs.length === 0) continue;
    const step = indentOf(text, value) - indentOf(text, mapping);
    if (step > 0) return step;
  }
  return DEFAULT_STEP;
}

/** Removes pairs, with the lines they stand on. Comment lines of their own around them stay. */
export function removeLines(text: string, pairs: readonly SyntaxPair[]): Splice[] {
  const ranges = pairs.map((pair) => linesOf(text, pair)).sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last?.end === range.start) last.end = range.end;
    else merged.push({ ...range });
  }
  return merged.map(({ start, end }) => ({ start, end, text: "" }));
}

/** Adds pairs behind the last one of a block mapping that has some. */
export function appendLines(
  text: string,
  mapping: MappingNode,
  pairs: readonly NewPair[],
  style: Omit<BlockStyle, "eol">,
): Splice[] {
  const end = contentEnd(text, mapping);
  const atLineStart = end > 0 && text[end - 1] === "\n";
  return insertLines(text, atLineStart ? end : nextLine(text, end), pairs, style);
}

/** Adds pairs as lines at an offset where a line starts. */
export function insertLines(
  text: string,
  offset: number,
  pairs: readonly NewPair[],
  style: Omit<BlockStyle, "eol">,
): Splice[] {
  if (pairs.length === 0) return [];
  const eol = lineEnding(text, Math.max(0, lineStart(text, Math.max(0, offset - 1))));
  const lines = pairs.map((pair) => formatBlockPair(pair, { ...style, eol })).join("");
  return [{ start: offset, end: offset, text: lines }];
}
