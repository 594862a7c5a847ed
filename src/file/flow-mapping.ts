import { formatFlowPair, type NewPair } from "./new-pair.js";
import { lineEnding, lineStart, nextLine, pairEnd, skipBlank, type Splice } from "./splice.js";
import type { MappingNode, SyntaxPair } from "./syntax.js";

/** One pair between braces, with what separates it. */
interface Item {
  readonly pair: SyntaxPair;
  /** Where it starts, anchors included. */
  readonly start: number;
  readonly end: number;
  /** Where the comma behind it stands. */
  readonly comma: number | undefined;
}

/** Removes pairs of a flow mapping and adds others at its end; all else between the braces stays. */
export function rewriteFlow(
  text: string,
  mapping: MappingNode,
  remove: ReadonlySet<SyntaxPair>,
  append: readonly NewPair[],
): Splice[] {
  const items = itemsOf(text, mapping);
  const kept = items.filter(({ pair }) => !remove.has(pair));
  const removed = items.filter(({ pair }) => remove.has(pair));
  const splices = joined(removed.flatMap((item) => removal(text, item, item === items[0])));
  const last = kept.at(-1);
  const trailing = items.at(-1)?.comma !== undefined;
  const lastKeptIsLast = last === items.at(-1);
  if (append.length === 0) {
    // What was in the middle is the last now: without a comma, as the last one was.
    if (last?.comma !== undefined && !trailing && !lastKeptIsLast) {
      splices.push({ start: last.comma, end: last.comma + 1, text: "" });
    }
    return splices;
  }
  const added = append.map(formatFlowPair);
  if (last === undefined) {
    const at = mapping.start + 1;
    return [...splices, { start: at, end: at, text: added.join(", ") }];
  }
  const anchor = last.comma === undefined ? last.end : last.comma + 1;
  if (last.comma === undefined) splices.push({ start: last.end, end: last.end, text: "," });
  const closing = text.slice(items.at(-1)?.end ?? anchor, mapping.end);
  const start = lineStart(text, last.start);
  const margin = text.slice(start, last.start);
  const hasOwnLine = start > mapping.start && /^[ \t]*$/.test(margin);
  if (!hasOwnLine || !closing.includes("\n")) {
    const tail = trailing ? "," : "";
    splices.push({ start: anchor, end: anchor, text: ` ${added.join(", ")}${tail}` });
    return splices;
  }
  const eol = lineEnding(text, last.end);
  const lines = added.map((each, index) => {
    const comma = trailing || index < added.length - 1 ? "," : "";
    return `${margin}${each}${comma}${eol}`;
  });
  const at = nextLine(text, anchor);
  splices.push({ start: at, end: at, text: lines.join("") });
  return splices;
}

function itemsOf(text: string, mapping: MappingNode): Item[] {
  let from = mapping.start + 1;
  return mapping.pairs.map((pair) => {
    const start = skipBlank(text, from);
    const end = pairEnd(text, pair);
    const next = skipBlank(text, end);
    const comma = text[next] === "," ? next : undefined;
    from = comma === undefined ? end : comma + 1;
    return { pair, start, end, comma };
  });
}

/** Removals in order, those that meet made one: neighbours both take the space between them. */
function joined(removals: readonly Splice[]): Splice[] {
  const result: Splice[] = [];
  for (const splice of removals) {
    const last = result.at(-1);
    if (last === undefined || splice.start > last.end) result.push(splice);
    else result.splice(-1, 1, { ...last, end: Math.max(last.end, splice.end) });
  }
  return result;
}

function removal(text: string, item: Item, isFirst: boolean): Splice[] {
  const { comma } = item;
  // A comment between a pair and its comma stays.
  const apart = comma !== undefined && text.slice(item.end, comma).includes("#");
  const lone: Splice[] = apart ? [{ start: comma, end: comma + 1, text: "" }] : [];
  const end = comma === undefined || apart ? item.end : comma + 1;
  const before = blankStart(text, item.start);
  const after = blankEnd(text, end);
  const isAlone = isLineStart(text, before) && (text[after] === "\n" || text[after] === "\r");
  if (isAlone) return [{ start: before, end: nextLine(text, after), text: "" }, ...lone];
  if (isFirst) {
    const stop = comma === undefined || apart ? end : after;
    return [{ start: item.start, end: stop, text: "" }, ...lone];
  }
  return [{ start: before, end, text: "" }, ...lone];
}

/** Where the spaces and tabs before an offset start; by index, since a line can be the whole file. */
function blankStart(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && isBlank(text[at - 1])) at -= 1;
  return at;
}

function blankEnd(text: string, offset: number): number {
  let at = offset;
  while (isBlank(text[at])) at += 1;
  return at;
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function isLineStart(text: string, offset: number): boolean {
  return offset === 0 || text[offset - 1] === "\n";
}
