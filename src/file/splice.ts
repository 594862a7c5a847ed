import type { SyntaxNode, SyntaxPair } from "./syntax.js";

/** One replacement in a text; offsets count UTF-16 units of the text before any of them. */
export interface Splice {
  readonly start: number;
  /** Exclusive; equal to `start` for an insertion. */
  readonly end: number;
  readonly text: string;
}

/**
 * Carries out splices, given in any order.
 *
 * @throws RangeError where two overlap: a caller's mistake, before anything is made of it.
 */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const splice of inOrder(splices)) {
    if (splice.start < at) throw new RangeError("splices overlap");
    parts.push(text.slice(at, splice.start), splice.text);
    at = splice.end;
  }
  parts.push(text.slice(at));
  return parts.join("");
}

/**
 * Splices in the order they are carried out in: insertions at one place keep the order they are
 * given in, and come before a deletion there.
 */
export function inOrder<T extends Pick<Splice, "start" | "end">>(splices: readonly T[]): T[] {
  return splices.toSorted(
    (a, b) => a.start - b.start || Number(a.end > a.start) - Number(b.end > b.start),
  );
}

/** Where the line of an offset starts; a byte-order mark is not part of the first line. */
export function lineStart(text: string, offset: number): number {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return start === 0 && text.startsWith("\ufeff") ? 1 : start;
}

/** Where the line after that of an offset starts, or the end of the text. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

/** The line ending in use: that of the line of an offset, of the one before it, or LF. */
export function lineEnding(text: string, offset: number): "\n" | "\r\n" {
  let end = text.indexOf("\n", offset);
  if (end === -1) end = text.lastIndexOf("\n");
  return end > 0 && text[end - 1] === "\r" ? "\r\n" : "\n";
}

/** Whether a text lacks the line ending of its last line. */
export function lacksFinalLineEnding(text: string): boolean {
  return text !== "" && text !== "\ufeff" && !text.endsWith("\n");
}

/**
 * Where what a node holds ends, trailing comments and line endings left out; a block scalar ends
 * where the next line starts, since its trailing line endings are part of it.
 */
export function contentEnd(text: string, node: SyntaxNode): number {
  if (node.kind === "mapping" && !node.flow) {
    const last = node.pairs.at(-1);
    return last === undefined ? node.end : pairEnd(text, last);
  }
  if (node.kind !== "sequence") return node.end;
  let end = node.end;
  while (end > node.start && /\s/.test(text.charAt(end - 1))) end -= 1;
  return end;
}

/** Where a pair's content ends; for a pair without a value, behind its colon. */
export function pairEnd(text: string, pair: SyntaxPair): number {
  if (pair.value.end > pair.value.start) return contentEnd(text, pair.value);
  return Math.max(pair.key.end, colonEnd(text, pair) ?? 0);
}

/** Just behind the colon between a pair's key and value; undefined where there is none. */
export function colonEnd(text: string, pair: SyntaxPair): number | undefined {
  const at = skipBlank(text, pair.key.end);
  return text[at] === ":" ? at + 1 : undefined;
}

/** Behind any spaces, line endings and comments that start at an offset. */
export function skipBlank(text: string, offset: number): number {
  let at = offset;
  for (;;) {
    while (at < text.length && /\s/.test(text.charAt(at))) at += 1;
    const comment = text[at] === "#" && (at === 0 || /\s/.test(text.charAt(at - 1)));
    if (!comment) return at;
    const end = text.indexOf("\n", at);
    at = end === -1 ? text.length : end;
  }
}
