import { isPlainString } from "./scalar-type.js";
import { formatFieldName, formatFieldValue, formatQuoted } from "./scalar-text.js";

/** A pair to be written: a field, or a digest or root setting with pairs beneath it. */
export type NewPair =
  | { readonly kind: "field"; readonly name: string; readonly value: string }
  | { readonly kind: "group"; readonly name: string; readonly pairs: readonly NewPair[] }
  /** Text that stands in the file already and is moved. */
  | { readonly kind: "moved"; readonly text: MovedText };

/** The text of a moved pair. */
export interface MovedText {
  /** Whole lines with their endings, or in `flow` form just the pair. */
  readonly text: string;
  readonly flow: boolean;
  /** Spaces before the first line's key; 0 in flow form. */
  readonly indent: number;
}

/** How block text is laid out. */
export interface BlockStyle {
  /** Spaces before the pairs. */
  readonly indent: number;
  /** Spaces that each level adds. */
  readonly step: number;
  readonly eol: "\n" | "\r\n";
}

/** The entry of a digest, its fields in order. */
export function entryPair(digest: string, fields: ReadonlyMap<string, string>): NewPair {
  return { kind: "group", name: digest, pairs: fieldPairs(fields) };
}

/** Fields in order. */
export function fieldPairs(fields: ReadonlyMap<string, string>): NewPair[] {
  return [...fields].map(([name, value]) => ({ kind: "field", name, value }));
}

/** A pair as lines, each with its line ending. */
export function formatBlockPair(pair: NewPair, style: BlockStyle): string {
  const margin = " ".repeat(style.indent);
  switch (pair.kind) {
    case "field":
      return `${margin}${formatFieldName(pair.name)}: ${formatFieldValue(pair.name, pair.value, isPlainString)}${style.eol}`;
    case "group": {
      const name = formatGroupName(pair.name);
      if (pair.pairs.length === 0) return `${margin}${name}: {}${style.eol}`;
      const inner = { ...style, indent: style.indent + style.step };
      const lines = pair.pairs.map((each) => formatBlockPair(each, inner)).join("");
      return `${margin}${name}:${style.eol}${lines}`;
    }
    case "moved":
      return formatMoved(pair.text, style);
  }
}

/** A pair as it stands between braces. */
export function formatFlowPair(pair: NewPair): string {
  switch (pair.kind) {
    case "field":
      return `${formatQuoted(pair.name)}: ${formatQuoted(pair.value)}`;
    case "group":
      return `${formatQuoted(pair.name)}: {${pair.pairs.map(formatFlowPair).join(", ")}}`;
    case "moved":
      return pair.text.text;
  }
}

function formatMoved(moved: MovedText, style: BlockStyle): string {
  if (moved.flow) return `${" ".repeat(style.indent)}${moved.text}${style.eol}`;
  const shift = style.indent - moved.indent;
  if (shift === 0) return moved.text;
  return moved.text
    .split(/(?<=\n)/)
    .map((line) => shiftLine(line, shift))
    .join("");
}

function shiftLine(line: string, shift: number): string {
  if (/^\r?\n?$/.test(line)) return line;
  if (shift > 0) return " ".repeat(shift) + line;
  const spaces = /^ */.exec(line)?.[0].length ?? 0;
  return line.slice(Math.min(spaces, -shift));
}

function formatGroupName(name: string): string {
  return /^[0-9a-f]{64}$/.test(name) ? formatQuoted(name) : formatFieldName(name);
}
